"""Bodies that hang: they are given up, can not come back, and the others go on."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Unavailable
from nightlatch.model import AuditEvent, Changes, DecisionRequest, Result, Snapshot
from nightlatch.store import sql_store
from testbed.fixtures_store import run
from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nightlatch.store import SqlStore

BOUND = 0.05


@pytest.fixture
def bounded(
    monkeypatch: pytest.MonkeyPatch, open_stores: Callable[[str], SqlStore], sqlite_url: str
) -> SqlStore:
    """A store that gives a body up after 50 ms, and has at most three of them hang."""
    monkeypatch.setattr(sql_store, "LONGEST_BODY", BOUND)
    monkeypatch.setattr(sql_store, "MOST_HANGING", 3)
    return open_stores(sqlite_url)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets what hangs come back; at the latest when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def note(_: Snapshot) -> tuple[Changes, str]:
    """A body that writes an audit row."""
    return Changes(events=(AuditEvent("e", Result.GRANTED, "", ""),)), "done"


async def decided(store: SqlStore, *bodies: Callable[[Snapshot], tuple[Changes, str]]) -> list[object]:
    """What those come to that ask at the same time."""
    asked = [store.decide(DecisionRequest(), body) for body in bodies]
    return [*await asyncio.gather(*asked, return_exceptions=True)]


def writers() -> int:
    """How many threads of the writer's kind there are."""
    return sum(thread.name == "store-writer" for thread in threading.enumerate())


async def test_a_body_that_comes_back_late_changes_nothing(
    bounded: SqlStore, sqlite_url: str, release: threading.Event
) -> None:
    """PLG-01: what a given-up body returns in the end is neither told nor written; those beside it are."""

    def late(snapshot: Snapshot) -> tuple[Changes, str]:
        release.wait(10)
        return note(snapshot)

    first, second, third = await decided(bounded, note, late, note)
    assert (first, third) == ("done", "done")
    assert isinstance(second, Unavailable)
    release.set()
    wait_until(lambda: writers() == 1, "the end of what hung")
    assert await decided(bounded, note) == ["done"]
    assert run(sqlite_url, "select count(*) from audit where event = 'e'") == [(3,)]


async def test_one_after_another_may_hang(bounded: SqlStore, release: threading.Event) -> None:
    """PLG-01: each of a group that hangs is left behind, and the rest has its outcome."""

    def hang(snapshot: Snapshot) -> tuple[Changes, str]:
        release.wait(10)
        return note(snapshot)

    outcomes = await decided(bounded, hang, note, hang, note)
    assert [isinstance(one, Unavailable) for one in outcomes] == [True, False, True, False]


async def test_slow_bodies_that_keep_their_bound_are_waited_for(bounded: SqlStore) -> None:
    """The bound is one body's, not the group's; and nobody is left behind."""
    pause = threading.Event()

    def slow(snapshot: Snapshot) -> tuple[Changes, str]:
        pause.wait(BOUND / 3)
        return note(snapshot)

    assert await decided(bounded, *[slow] * 8) == ["done"] * 8
    assert writers() == 1


async def test_the_number_of_hanging_bodies_is_bounded(bounded: SqlStore, release: threading.Event) -> None:
    """PLG-01: when three threads hang nothing more is begun, until one of them ends."""

    def hang(_: Snapshot) -> tuple[Changes, str]:
        release.wait(10)
        return Changes(), ""

    for _ in range(3):
        await decided(bounded, hang)
    [turned_away] = await decided(bounded, note)
    assert isinstance(turned_away, Unavailable)
    assert "hang" in str(turned_away)
    assert writers() == 4
    release.set()
    wait_until(lambda: writers() == 1, "the end of what hung")
    assert await decided(bounded, note) == ["done"]


async def test_a_store_is_closed_while_a_body_hangs(
    bounded: SqlStore, sqlite_url: str, release: threading.Event
) -> None:
    """Closing waits for what is queued, not for what hangs."""

    def hang(_: Snapshot) -> tuple[Changes, str]:
        release.wait(10)
        return Changes(), ""

    asked = [asyncio.ensure_future(bounded.decide(DecisionRequest(), body)) for body in (hang, note)]
    await asyncio.sleep(0)
    await bounded.close()
    assert not release.is_set()
    hung, noted = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(hung, Unavailable)
    assert noted == "done"
    assert run(sqlite_url, "select count(*) from audit where event = 'e'") == [(1,)]


async def test_a_writer_that_can_not_start_at_once_starts_later(
    bounded: SqlStore, release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FLT-01: where the system has no thread left for a while, the store goes on as soon as there is one."""
    start, refused = threading.Thread.start, threading.Event()

    def limited(thread: threading.Thread) -> None:
        if thread.name == "store-writer" and not refused.is_set():
            refused.set()
            raise RuntimeError("can't start new thread")
        start(thread)

    def hang(snapshot: Snapshot) -> tuple[Changes, str]:
        release.wait(10)
        return note(snapshot)

    monkeypatch.setattr(threading.Thread, "start", limited)
    hung, noted = await decided(bounded, hang, note)
    assert refused.is_set()
    assert isinstance(hung, Unavailable)
    assert noted == "done"
