"""Daemons with a TLS listener."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.applications import Installation, short_folder
from testbed.front_door import directory_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.slapd import Slapd


@pytest.fixture(scope="module")
def running(open_folder: Path) -> Iterator[Installation]:
    """A daemon for all tests of a module, with a revocation list, and with nobody in its directory."""
    made = Installation(short_folder(open_folder), crl=True)
    made.daemon.start()
    yield made
    made.daemon.stop()


@pytest.fixture
def own(open_folder: Path) -> Iterator[Installation]:
    """A daemon of this test's own, with a revocation list."""
    made = Installation(short_folder(open_folder), crl=True)
    made.daemon.start()
    yield made
    made.daemon.stop()


@pytest.fixture
def peopled(open_folder: Path, slapd: Slapd) -> Iterator[Installation]:
    """A daemon of this test's own, in front of a real slapd."""
    made = Installation(short_folder(open_folder), directories=directory_table(slapd))
    made.daemon.start()
    yield made
    made.daemon.stop()
