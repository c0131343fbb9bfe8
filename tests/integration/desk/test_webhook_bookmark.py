"""How far a webhook has told is kept in the store: over stops, deaths, outages, and beside other daemons."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable
from nightlatch.webhook.bookmark import LEASE, Bookmark
from nightlatch.webhook.telling import HOLE_SECONDS
from testbed.fixtures_store import run
from testbed.telling_desk import LOCK, UNLOCK, Desk, places, until

if TYPE_CHECKING:
    import pytest

    from nightlatch.webhook.feed import AuditStretch
    from testbed.receiver import Receiver


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
