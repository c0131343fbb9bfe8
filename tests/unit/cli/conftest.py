"""What the tests of the command line share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.v1.admin_pb2 import Part
from testbed.fake_daemon import FakeDaemon, credential, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    """A daemon that knows alice with two credentials, and bob with none."""
    people = {
        "alice": [credential("c-1111"), credential("c-1222", "tablet", last_used=1_770_033_660)],
        "bob": [],
    }
    parts = [Part(kind="store", name="sqlite", healthy=True, detail="3.40")]
    with serving(FakeDaemon(tmp_path / "admin.sock", people, parts)) as fake:
        yield fake
