"""Fixtures around Active Directory: a domain controller for the whole run, and names for its people."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from testbed.samba import Samba

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.pki import Pki

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def samba(open_folder: Path, pki: Pki) -> Iterator[Samba]:
    """A running domain controller. All tests share it, so each uses people and groups of its own."""
    server = Samba(open_folder / "samba", pki)
    server.start()
    yield server
    server.stop()


NewName = Callable[[str], str]
"""A name that nobody in the domain has, beginning as asked."""


@pytest.fixture
def new_name() -> NewName:
    """Names for this test's own people and groups."""
    return lambda start: f"{start}{next(_numbers)}"
