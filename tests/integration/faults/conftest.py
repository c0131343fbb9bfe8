"""Hosts that are built once for a file of tests; each test leaves them as they were."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.front_door import FrontDoor
from testbed.slapd import Slapd
from testbed.sshd import SERVICE
from testbed.two_directories import TwoDirectories

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.pki import Pki

MODULE_SECONDS = 2
"""What the PAM module waits for an answer, in `house`."""


def short_folder(above: Path, name: str) -> Path:
    """A folder that servers of other users may enter, with a path that is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=above))
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def house_slapd(open_folder: Path, pki: Pki) -> Iterator[Slapd]:
    """The slapd of one file's tests."""
    server = Slapd(short_folder(open_folder, "slapd"), pki)
    server.start()
    yield server
    server.go_on()
    server.stop()


@pytest.fixture(scope="module")
def both(open_folder: Path, house_slapd: Slapd) -> Iterator[TwoDirectories]:
    """A daemon that asks the local accounts first, then those of the slapd."""
    made = TwoDirectories(short_folder(open_folder, "both"), house_slapd)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def house(open_folder: Path, house_slapd: Slapd) -> Iterator[FrontDoor]:
    """slapd, a daemon and sshd, whose module waits two seconds for an answer."""
    made = FrontDoor(short_folder(open_folder, "house"), house_slapd)
    service = made.sshd.folder / "pam.d" / SERVICE
    service.write_text(service.read_text().replace("timeout=5", f"timeout={MODULE_SECONDS}"))
    made.start()
    yield made
    made.stop()
