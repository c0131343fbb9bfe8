"""An audit on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.audit import Books, Kept

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from testbed.fixtures_store import SetClock


@pytest.fixture
async def books(store_url: str, store_clock: SetClock) -> AsyncIterator[Books]:
    """An empty audit; the test runs on both databases."""
    made = Books(store_url, store_clock, Kept())
    yield made
    await made.close()
