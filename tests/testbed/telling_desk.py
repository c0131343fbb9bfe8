"""Webhooks of this process over a real store, whose pauses cost no time."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from nightlatch.model import AuditEvent, Result, Secret
from nightlatch.webhook.target import FALLBACK, WebhookTarget
from nightlatch.webhook.telling import Webhook
from testbed.fixtures_store import START, SystemRandomness, run
from testbed.process import wait_until
from testbed.receiver import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nightlatch.store import SqlStore

LOCK = AuditEvent(
    "account.lock",
    Result.LOCKED,
    "blocked",
    "7f3a-22c1",
    "corp:1",
    "alice",
    facts="failures=5 free=4 pause=30",
)
UNLOCK = replace(LOCK, event="account.unlock", facts="")


class Ahead:
    """The time of the stores, ahead by what goes by and what somebody slept."""

    def __init__(self) -> None:
        self.ahead = START - time.time()
        self.slept: list[float] = []

    def now(self) -> float:
        return time.time() + self.ahead

    def steady(self) -> float:
        return time.monotonic() + self.ahead

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ahead += seconds
        await asyncio.sleep(0)


class Desk:
    """Webhooks over one store."""

    def __init__(self, store: SqlStore, url: str, ca: Path) -> None:
        self.store = store
        self.url = url
        self.ca = ca
        self.clock = Ahead()
        self.hooks: list[Webhook] = []

    async def hook(self, *, ca: bool = True, url: str = "") -> Webhook:
        """One more webhook, as a start of a daemon makes it; `ca` is whether it knows the receiver's."""
        trust = ssl.create_default_context(cafile=self.ca if ca else None)
        events = ("account.", "credential.add", FALLBACK)
        target = WebhookTarget(url or self.url, Secret(SECRET), events, trust, frozenset({"paper"}))
        made = Webhook(target, self.store.feed, self.clock, SystemRandomness(), structlog.get_logger())
        self.hooks.append(made)
        made.begin()
        return made

    async def happens(self, *events: AuditEvent) -> None:
        """Write rows, and let every webhook hear of them."""
        for event in events:
            await self.store.record(event)
        for hook in self.hooks:
            for event in events:
                hook.happened(event, 0.0)


def places(url: str) -> list[tuple[object, ...]]:
    """The bookmarks in a database."""
    return run(url, "select value from meta where name like 'webhook %'")


async def until(ready: Callable[[], bool]) -> None:
    """Let the loop run until something holds."""
    await asyncio.to_thread(wait_until, ready, "the receiver", seconds=30)
