"""Fixtures around the whole front door."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.front_door import FrontDoor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.slapd import Slapd


@pytest.fixture
def door_folder(open_folder: Path) -> Path:
    """A folder whose path is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="door-", dir=open_folder))
    folder.chmod(0o755)
    return folder


@pytest.fixture
def door(door_folder: Path, slapd: Slapd) -> Iterator[FrontDoor]:
    """slapd, daemon and sshd, asking for password and code."""
    front = FrontDoor(door_folder, slapd)
    front.start()
    yield front
    front.stop()


@pytest.fixture
def key_door(door_folder: Path, slapd: Slapd) -> Iterator[FrontDoor]:
    """The same, asking for a public key and then for the code alone."""
    front = FrontDoor(door_folder, slapd, module_options="mode=factor", key_users=True)
    front.start()
    yield front
    front.stop()
