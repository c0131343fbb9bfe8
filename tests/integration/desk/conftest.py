"""One running world for each module."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.second_factors import Resident, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.pki import Pki


@pytest.fixture(scope="module")
def world(open_folder: Path, pki: Pki) -> Iterator[World]:
    """Everything, running; afterwards nothing secret may be in any log (LEK-01)."""
    folder = Path(tempfile.mkdtemp(prefix="dsk-", dir=open_folder))
    folder.chmod(0o755)
    made = World(folder, pki)
    try:
        made.start()
        yield made
        assert made.leaks() == []
    finally:
        made.stop()


@pytest.fixture
def person(world: World) -> Resident:
    """Somebody whom no other test knows."""
    return world.person()
