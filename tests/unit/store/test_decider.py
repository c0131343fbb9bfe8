"""The thread that runs bodies: what hangs is given up, and can not come back."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from nightlatch.audit.evidence import AuditKeys, NoWitness
from nightlatch.errors import Unavailable
from nightlatch.model import AuditEvent, Changes, DecisionRequest, Result, Snapshot
from nightlatch.store.chaining import Chaining
from nightlatch.store.decider import Decider
from nightlatch.store.seal import CredentialSeal
from nightlatch.store.sqlite import SqliteDatabase
from nightlatch.store.statements import Statements
from nightlatch.store.view import GroupView
from nightlatch.store.waiting import Waiting
from testbed.fixtures_store import KEY, SetClock, SystemRandomness
from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BOUND = 0.05


@pytest.fixture
def view(tmp_path: Path) -> GroupView:
    """A view of nothing."""
    seal = CredentialSeal(KEY, SystemRandomness())
    return GroupView(Statements(SqliteDatabase(tmp_path / "x").dialect), seal)


@pytest.fixture
def chaining(tmp_path: Path) -> Chaining:
    """A chain without rows."""
    keys, statements = AuditKeys.of(KEY), Statements(SqliteDatabase(tmp_path / "x").dialect)
    return Chaining(keys, statements, SetClock(), SystemRandomness(), NoWitness())


@pytest.fixture
def decider() -> Iterator[Decider]:
    """A decider that gives up after 50 ms, and at most two threads."""
    decider = Decider(SetClock(), BOUND, 2)
    yield decider
    decider.close()


def note(_: Snapshot) -> tuple[Changes, str]:
    """A body that writes an audit row."""
    return Changes(events=(AuditEvent("e", Result.GRANTED, "", ""),)), "done"


async def waiting(body: Callable[[Snapshot], tuple[Changes, str]]) -> Waiting:
    """A decision that waits."""
    return Waiting(DecisionRequest(), body, asyncio.get_running_loop(), 0.0)


async def outcome(one: Waiting) -> object:
    """What its caller is told."""
    one.deliver()
    await asyncio.wait({one.future})
    return one.future.exception() or one.future.result()


async def test_a_body_that_comes_back_late_changes_nothing(
    decider: Decider, view: GroupView, chaining: Chaining
) -> None:
    """PLG-01: what a given-up body returns in the end is neither told nor written."""
    release = threading.Event()

    def late(snapshot: Snapshot) -> tuple[Changes, str]:
        release.wait(10)
        return note(snapshot)

    group = [await waiting(note), await waiting(late), await waiting(note)]
    assert decider.run(view, group) == 2
    release.set()
    wait_until(lambda: not decider.hanging(), "the end of what hung")
    assert await outcome(group[0]) == "done"
    assert isinstance(await outcome(group[1]), Unavailable)
    _begin, query = view.writes(0.0, chaining)
    assert query.values.count("e") == 1


async def test_slow_bodies_that_keep_their_bound_are_waited_for(decider: Decider, view: GroupView) -> None:
    """The bound is one body's, not the group's."""
    pause = threading.Event()

    def slow(snapshot: Snapshot) -> tuple[Changes, str]:
        pause.wait(BOUND / 3)
        return note(snapshot)

    group = [await waiting(slow) for _ in range(8)]
    assert decider.run(view, group) == 8
    assert [await outcome(one) for one in group] == ["done"] * 8


async def test_the_number_of_hanging_bodies_is_bounded(decider: Decider, view: GroupView) -> None:
    """PLG-01: when two threads hang nothing more is begun, until one of them ends."""
    release = threading.Event()

    def hang(_: Snapshot) -> tuple[Changes, str]:
        release.wait(10)
        return Changes(), ""

    before = threading.active_count()
    for _ in range(2):
        assert decider.run(view, [await waiting(hang)]) == 1
    turned_away = await waiting(note)
    assert decider.run(view, [turned_away]) == 1
    assert isinstance(await outcome(turned_away), Unavailable)
    assert threading.active_count() == before + 2
    release.set()
    wait_until(lambda: not decider.hanging(), "the end of what hung")
    again = await waiting(note)
    assert decider.run(view, [again]) == 1
    assert await outcome(again) == "done"
