"""A household whose store is kept and put back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.backups import Household

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.slapd import Slapd


@pytest.fixture(params=["sqlite", "postgresql"])
def household(request: pytest.FixtureRequest, open_folder: Path, slapd: Slapd) -> Iterator[Household]:
    """A daemon that runs, on either database, in a folder whose path is short enough for sockets."""
    url = str(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else ""
    made = Household(Path(tempfile.mkdtemp(prefix="kept-", dir=open_folder)), slapd, url)
    made.daemon.start()
    yield made
    if made.daemon.running():
        made.daemon.stop()
