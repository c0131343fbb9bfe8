"""A process that decides as fast as it can, and tells each grant on its output; it is there to be killed.

Arguments: the store's URL, and the number of the first decision.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from nightlatch.keys import KEY_BYTES, MasterKey
from nightlatch.model import (
    AuditEvent,
    Changes,
    Credential,
    DecisionRequest,
    LimitState,
    Result,
    Snapshot,
    Standing,
)
from nightlatch.store import SqlStore, open_store

START = 1_800_000_000.0


class StandingClock:
    """A wall clock that stands; a steady one that goes. The test bed's imports take too long."""

    def now(self) -> float:
        """Always the same."""
        return START

    def steady(self) -> float:
        """The real steady clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)


class SystemRandomness:
    """The system's randomness."""

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""
        return os.urandom(count)


async def decide(store: SqlStore, number: int) -> None:
    """One decision that writes to every table, and its line once it is durable."""
    account, key = f"corp:{number % 7}", f"n{number}"

    def body(seen: Snapshot) -> tuple[Changes, None]:
        state = LimitState(in_a_row=seen.limits[account].in_a_row + 1)
        credential = Credential(account, key, "totp", key, key.encode(), START)
        event = AuditEvent("login.factor", Result.GRANTED, key, "", account)
        standing = Standing(grace_logins=seen.standing.grace_logins + 1)
        changes = Changes({account: state}, (credential,), spend=True, standing=standing, events=(event,))
        return changes, None

    request = DecisionRequest(scopes=(account,), account_id=account, spend_key=key, standing=True)
    await store.decide(request, body)
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


async def main(url: str, number: int) -> None:
    """Decide in groups until killed."""
    store = open_store(url, MasterKey(b"k" * KEY_BYTES), StandingClock(), SystemRandomness())
    sys.stdout.write("open\n")
    sys.stdout.flush()
    while True:
        await asyncio.gather(*(decide(store, number + offset) for offset in range(16)))
        number += 16


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
