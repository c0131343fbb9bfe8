"""One running world for each module."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.onboarding import OnboardingWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.pki import Pki
    from testbed.second_factors import Resident


@pytest.fixture(scope="module")
def world(open_folder: Path, pki: Pki) -> Iterator[OnboardingWorld]:
    """Everything, running; afterwards nothing secret may be in any log (LEK-01)."""
    folder = Path(tempfile.mkdtemp(prefix="new-", dir=open_folder))
    folder.chmod(0o755)
    made = OnboardingWorld(folder, pki)
    try:
        made.start()
        yield made
        assert made.leaks() == []
    finally:
        made.stop()


@pytest.fixture
def person(world: OnboardingWorld) -> Resident:
    """Somebody whom no other test knows, and who has no second factor."""
    return world.person()


@pytest.fixture(autouse=True)
def utf8_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that shows a QR code: in the C locale OpenSSH's client escapes what is not ASCII."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
