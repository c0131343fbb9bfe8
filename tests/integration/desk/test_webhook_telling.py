"""A webhook of this process against a real HTTPS receiver, on both databases; its pauses cost no time."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import structlog

import nightlatch.webhook.post
from nightlatch.errors import Unavailable
from nightlatch.model import AuditEvent, Result, Secret
from nightlatch.webhook.bookmark import LEASE, Bookmark
from nightlatch.webhook.target import FALLBACK, WebhookTarget
from nightlatch.webhook.telling import HOLE_SECONDS, NOT_TAKEN_SECONDS, TOO_OLD, Webhook
from testbed.fixtures_store import START, SystemRandomness, run
from testbed.process import wait_until
from testbed.receiver import SECRET, Receiver, genuine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from nightlatch.store import SqlStore
    from nightlatch.webhook.feed import AuditStretch
    from testbed.pki import Pki

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


@pytest.fixture
def receiver(pki: Pki) -> Iterator[Receiver]:
    """A receiver that takes everything."""
    made = Receiver(pki.server)
    yield made
    made.stop()


def places(url: str) -> list[tuple[object, ...]]:
    """The bookmarks in a database."""
    return run(url, "select value from meta where name like 'webhook %'")


async def until(ready: Callable[[], bool]) -> None:
    """Let the loop run until something holds."""
    await asyncio.to_thread(wait_until, ready, "the receiver", seconds=30)


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


async def test_an_event_is_signed_and_says_what_happened(desk: Desk, receiver: Receiver) -> None:
    """A receiver that knows the secret can tell it from a forgery and from a repetition."""
    await desk.hook()
    await desk.happens(
        LOCK,
        replace(LOCK, event="login.password"),
        replace(LOCK, event="login.factor", result=Result.GRANTED, factor="paper"),
        replace(LOCK, event="credential.add", factor="paper"),
        replace(LOCK, event="credential.remove"),
    )
    await until(lambda: len(receiver.told) == 3)
    first = receiver.told[0]
    assert receiver.names() == ["account.lock", FALLBACK, "credential.add"]
    assert genuine(first, desk.clock.now())
    assert not genuine(first, desk.clock.now(), "another secret")
    assert not genuine(replace(first, raw=first.raw.replace(b"alice", b"mallo")), desk.clock.now())
    assert (first.body["user"], first.body["seconds"], first.body["id"]) == ("alice", 30, first.delivery)


async def test_what_fails_is_tried_again_in_order(desk: Desk, receiver: Receiver) -> None:
    """500, 401 and a redirect are failures: each pause is twice the last one, and nothing overtakes."""
    receiver.statuses = [500, 401, 302]
    await desk.happens(LOCK, UNLOCK)
    await desk.hook()
    await until(lambda: len(receiver.told) == 2)
    assert receiver.names() == ["account.lock", "account.unlock"]
    assert desk.clock.slept == [1.0, 2.0, 4.0]


async def test_a_receiver_that_is_slow_is_told_again(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has its seconds; then the same event comes again, with the same id."""
    monkeypatch.setattr(nightlatch.webhook.post, "SECONDS", 0.3)
    receiver.gate.clear()
    await desk.happens(LOCK)
    await desk.hook()
    await until(lambda: receiver.waiting >= 2)
    assert receiver.told == []
    receiver.gate.set()
    await until(lambda: len(receiver.told) >= 1)
    assert len({one.delivery for one in receiver.told}) == 1


async def test_a_wrong_certificate_is_told_nothing_and_nothing_is_lost(
    desk: Desk, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """The body is never sent; once the CA is put right, the next start tells it. The secret is in no log."""
    await desk.happens(LOCK)
    wrong = await desk.hook(ca=False)
    await until(lambda: sum(desk.clock.slept) > 3 * 3600)
    await wrong.close()
    assert receiver.waiting == 0
    said = capsys.readouterr().out
    assert "CERTIFICATE_VERIFY_FAILED" in said
    assert "webhook.lost" not in said
    assert SECRET not in said
    await desk.hook()
    await until(lambda: receiver.names() == ["account.lock"])


async def test_what_is_too_old_is_given_up(
    desk: Desk, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """After seven days an event is told no more; the log says which, and what is younger is told."""
    await desk.happens(LOCK)
    desk.clock.ahead += TOO_OLD
    await desk.hook()
    await until(lambda: "webhook.lost" in capsys.readouterr().out)
    desk.clock.ahead -= TOO_OLD
    await desk.happens(UNLOCK)
    await until(lambda: receiver.names() == ["account.unlock"])


async def test_an_event_that_the_receiver_does_not_take_stops_the_others_for_an_hour(
    desk: Desk, receiver: Receiver
) -> None:
    """It answers 400 to that one again and again: it is given up, and the next one comes."""
    receiver.statuses = [400] * 100
    await desk.happens(LOCK)
    await desk.hook()
    await until(lambda: sum(desk.clock.slept) >= NOT_TAKEN_SECONDS)
    receiver.statuses = []
    await desk.happens(UNLOCK)
    await until(lambda: "account.unlock" in receiver.names())


async def test_a_stop_loses_nothing_and_repeats_nothing(desk: Desk, receiver: Receiver) -> None:
    """What happens between two daemons is told by the next one; what was taken is not told again."""
    first = await desk.hook()
    await desk.happens(LOCK)
    await until(lambda: len(receiver.told) == 1)
    await first.close()
    await desk.happens(UNLOCK)
    await desk.hook()
    await until(lambda: receiver.names() == ["account.lock", "account.unlock"])


async def test_of_two_daemons_one_holds_the_bookmark_until_it_is_gone(desk: Desk) -> None:
    """The other waits until the first lets go, or is silent for as long as a lease lasts."""
    clock, feed = desk.clock, desk.store.feed
    one, other = (Bookmark(feed, "https://elsewhere.example.com", name, clock) for name in ("one", "other"))
    assert await one.keep(None) == 0
    assert await other.keep(None) is None
    assert await one.keep(7) == 7
    clock.ahead += LEASE - 1
    assert await other.keep(None) is None
    clock.ahead += 1
    assert await other.keep(None) == 7
    assert await one.keep(9) is None
    await one.let_go(9)
    assert await one.keep(9) is None
    await other.let_go(8)
    assert await one.keep(None) == 8


async def test_a_lease_from_a_wrong_clock_does_not_last(desk: Desk) -> None:
    """A daemon that held it years ahead of time keeps it from nobody, once the clock is right."""
    clock, feed = desk.clock, desk.store.feed
    one, other = (Bookmark(feed, "https://elsewhere.example.com", name, clock) for name in ("one", "other"))
    clock.ahead += 1e8
    assert await one.keep(5) == 5
    clock.ahead -= 1e8
    assert await other.keep(None) == 5


async def test_a_daemon_that_died_without_a_word_is_followed(desk: Desk, receiver: Receiver) -> None:
    """Once its lease is over, another one tells what it has not told."""
    dead = Bookmark(desk.store.feed, desk.url, "dead", desk.clock)
    await dead.keep(None)
    await desk.happens(LOCK)
    following = await desk.hook()
    desk.clock.ahead += LEASE
    following.happened(LOCK, 0.0)
    await until(lambda: receiver.names() == ["account.lock"])


async def test_a_row_that_is_committed_late_is_not_passed_over(
    desk: Desk, store_url: str, receiver: Receiver
) -> None:
    """Of two daemons' rows the later number may be seen first: the one before it is waited for."""
    await desk.happens(LOCK, UNLOCK, replace(LOCK, event="account.enable"))
    run(store_url, "update audit set id = 100 where id = 2")
    hook = await desk.hook()
    await until(lambda: receiver.names() == ["account.lock"])
    run(store_url, "update audit set id = 2 where id = 100")
    hook.happened(UNLOCK, 0.0)
    await until(lambda: receiver.names() == ["account.lock", "account.unlock", "account.enable"])


async def test_a_number_that_never_comes_is_waited_for_a_while(
    desk: Desk, store_url: str, receiver: Receiver
) -> None:
    """A transaction that failed leaves a hole: it holds up what follows for half a minute, and no more."""
    await desk.happens(LOCK, UNLOCK, UNLOCK)
    run(store_url, "delete from audit where id = 2")
    await desk.hook()
    await until(lambda: receiver.names() == ["account.lock"])
    desk.clock.ahead += HOLE_SECONDS
    await until(lambda: receiver.names() == ["account.lock", "account.unlock"])


async def test_what_retention_has_removed_is_said_to_be_lost(
    desk: Desk, store_url: str, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is kept for a receiver that stays away; the log says what it misses, and the rest is told."""
    first = await desk.hook()
    await desk.happens(LOCK)
    await until(lambda: len(receiver.told) == 1)
    await first.close()
    await desk.happens(LOCK, LOCK, UNLOCK)
    run(store_url, "delete from audit where id <= 3")
    await desk.hook()
    await until(lambda: receiver.names() == ["account.lock", "account.unlock"])
    assert "webhook.lost" in capsys.readouterr().out


async def test_a_new_address_is_told_of_nothing_old(desk: Desk, store_url: str, receiver: Receiver) -> None:
    """Whoever writes another address gets what happens from then on."""
    await desk.happens(LOCK)
    await desk.hook(url=f"{receiver.url}/other")
    await until(lambda: len(places(store_url)) == 2)
    await desk.happens(UNLOCK)
    await until(lambda: receiver.names() == ["account.unlock"])


async def test_a_database_that_fails_for_a_while_costs_nothing(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The store is away, or answers with nonsense: the log says so once, and what happened is told later."""
    stretch = desk.store.feed.stretch
    wrong: list[Exception] = [Unavailable("store", "away"), KeyError("nonsense")]

    async def failing(after: int, most: int) -> AuditStretch:
        if wrong:
            raise wrong.pop(0)
        return await stretch(after, most)

    monkeypatch.setattr(desk.store.feed, "stretch", failing)
    hook = await desk.hook()
    await until(lambda: len(wrong) < 2)
    hook.happened(LOCK, 0.0)
    await until(lambda: not wrong)
    await desk.happens(LOCK)
    await until(lambda: receiver.names() == ["account.lock"])
    said = capsys.readouterr().out
    assert (said.count("webhook.waits"), "unexpected KeyError" in said) == (2, True)
