"""A daemon that the examples call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.slapd import Slapd


@pytest.fixture
def shop(open_folder: Path, slapd: Slapd) -> Iterator[Shop]:
    """A real slapd, a real daemon with a TLS listener, and the shop's certificate."""
    made = Shop(open_folder, slapd)
    made.daemon.start()
    yield made
    made.daemon.stop()
