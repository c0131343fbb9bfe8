"""A receiver of webhooks, and a desk that tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.receiver import Receiver
from testbed.telling_desk import Desk, places, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from nightlatch.store import SqlStore
    from testbed.pki import Pki


@pytest.fixture
def receiver(pki: Pki) -> Iterator[Receiver]:
    """A receiver that takes everything."""
    made = Receiver(pki.server)
    yield made
    made.stop()


@pytest.fixture
async def desk(store: SqlStore, store_url: str, receiver: Receiver, pki: Pki) -> AsyncIterator[Desk]:
    """A store with a bookmark at the audit's end, so that there is a place to go on from."""
    made = Desk(store, receiver.url, pki.ca)
    first = await made.hook()
    await until(lambda: places(store_url) != [])
    await first.close()
    made.hooks.clear()
    yield made
    for hook in made.hooks:
        await hook.close()
