"""Reads from the store which key signs receipts: at the start, and while the daemon runs.

MUST 1: a store that can not be read, or says nothing with a meaning, changes no key of a daemon that runs.
MUST 2: a daemon does not start on a generation that has no meaning: it might be one that was withdrawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.errors import ConfigError, Unavailable
from nightlatch.login.receipt_keys import MARK, Generation, ReceiptKeys
from nightlatch.store.opening import store_mark

if TYPE_CHECKING:
    from nightlatch.app.world import World
    from nightlatch.keys import MasterKey

FOLLOW_SECONDS = 2.0
"""Between two looks. With the ten that the store may take, far less than `receipt_keys.HEARD`."""
_OLDER = "the store tells an older generation than before; was a backup put back? See: nightlatch doctor"


def stored_keys(url: str, key: MasterKey, epoch: str) -> ReceiptKeys:
    """The keys that the store at `url` tells of. Blocks; raises ConfigError and Unavailable."""
    try:
        return ReceiptKeys(key, epoch, Generation.of(store_mark(url, MARK)))
    except ValueError as error:
        advice = "Put a backup back, or begin with another key by: nightlatch store restored"
        raise ConfigError((f"store: {error}. {advice}",)) from None


async def follow(world: World) -> None:
    """Take over what other daemons and workers have changed, until this is cancelled."""
    told = ""
    while True:
        await world.clock.sleep(FOLLOW_SECONDS)
        try:
            trouble = await _look(world)
        except Exception as error:  # noqa: BLE001  # who looks no more signs with a withdrawn key for ever
            trouble = f"unexpected {type(error).__name__}"
        if trouble and trouble != told:
            world.log.error("receipts.not_followed", reason=trouble, kept="the keys of before")
        told = trouble


async def _look(world: World) -> str:
    """Follow the store once; what is in the way, or nothing."""
    keys = world.receipt_keys
    known = keys.generation.number  # this daemon may rotate while the store is asked
    try:
        stored = Generation.of(await world.store.mark(MARK))
    except (ValueError, Unavailable) as error:
        return str(error)
    new = stored.number > keys.generation.number
    keys.follow(stored)
    if new:
        world.log.info("receipts.new_key", key=keys.current.id, at_once=stored.at_once)
    return _OLDER if stored.number < known else ""
