"""One host for the whole folder: slapd, mail, daemon, with an account socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.own_account import AccountWorld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.pki import Pki


@pytest.fixture(scope="module")
def world(open_folder: Path, pki: Pki) -> Iterator[AccountWorld]:
    """Everything, running."""
    running = AccountWorld(open_folder, pki)
    running.start()
    yield running
    running.stop()
