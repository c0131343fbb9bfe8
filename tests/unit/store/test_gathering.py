"""How decisions are gathered: those who ask together are answered together, and nobody waits alone."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Unavailable
from nightlatch.model import Changes, DecisionRequest
from nightlatch.store import gathering
from nightlatch.store.gathering import Gathering
from nightlatch.store.waiting import Waiting
from testbed.fixtures_store import SetClock

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop for the futures; nobody runs it."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


def decisions(loop: asyncio.AbstractEventLoop, count: int) -> list[Waiting]:
    """So many decisions."""
    return [Waiting(DecisionRequest(), lambda _: (Changes(), None), loop, 0.0) for _ in range(count)]


def next_group(queue: Gathering) -> list[Waiting]:
    """The next group, as the writer takes it."""
    first = queue.first(1)
    assert first is not None
    group = [first]
    queue.fill(group)
    return group


def test_one_that_comes_alone_waits_for_nobody(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a group of one, the next one begins at once."""
    queue = Gathering(SetClock())
    (one, other) = decisions(loop, 2)
    queue.answered([one])
    monkeypatch.setattr(threading.Event, "wait", lambda *_: pytest.fail("it waits for others"))
    queue.put(other)
    assert next_group(queue) == [other]


def test_those_who_asked_together_are_waited_for(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight that were answered together come again one by one, and are one group."""
    monkeypatch.setattr(gathering, "LONGEST", 30.0)
    monkeypatch.setattr(gathering, "EACH", 4.0)
    queue, eight = Gathering(SetClock()), decisions(loop, 8)
    queue.answered(eight)
    queue.put(eight[0])

    def come_one_by_one() -> None:
        for one in eight[1:]:
            time.sleep(0.005)  # they are answered one after another
            queue.put(one)

    others = threading.Thread(target=come_one_by_one)
    others.start()
    assert next_group(queue) == eight
    others.join()


def test_who_does_not_come_again_is_waited_for_once(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first who is alone goes on after a moment; the next one does not wait any more."""
    queue, eight = Gathering(SetClock()), decisions(loop, 8)
    queue.answered(eight)
    queue.put(eight[0])
    group = next_group(queue)
    assert group == [eight[0]]
    queue.answered(group)
    monkeypatch.setattr(threading.Event, "wait", lambda *_: pytest.fail("it waits for others"))
    queue.put(eight[1])
    assert next_group(queue) == [eight[1]]


def test_those_who_wait_already_count_as_together(loop: asyncio.AbstractEventLoop) -> None:
    """What waits while a group is answered belongs to those who ask together."""
    queue, three = Gathering(SetClock()), decisions(loop, 3)
    queue.put(three[1])
    queue.put(three[2])
    queue.answered(three[:1])
    assert next_group(queue) == three[1:]


def test_nobody_waits_for_longer_than_is_said(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where others keep coming, and never enough, the group goes at its time (FLT-01)."""
    clock = SetClock()
    queue, many = Gathering(clock), decisions(loop, 300)
    queue.answered(many)
    rest = iter(many)
    queue.put(next(rest))

    def another_one(_event: threading.Event, seconds: float) -> bool:
        clock.ahead += seconds / 4
        queue.put(next(rest))
        return False

    began = clock.ahead
    monkeypatch.setattr(threading.Event, "wait", another_one)
    group = next_group(queue)
    assert 1 < len(group) < gathering.MOST_IN_GROUP
    assert clock.ahead - began < 2 * gathering.LONGEST


def test_the_end_comes_after_what_is_in_hand(loop: asyncio.AbstractEventLoop) -> None:
    """What was queued before the end is served before it."""
    queue, two = Gathering(SetClock()), decisions(loop, 2)
    for one in two:
        queue.put(one)
    queue.end()
    assert next_group(queue) == two
    assert queue.first(1) is None


def test_too_many_are_turned_away(loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than fits is refused, and what is there stays (FLT-01)."""
    monkeypatch.setattr(gathering, "MOST_WAITING", 2)
    queue, three = Gathering(SetClock()), decisions(loop, 3)
    for one in three[:2]:
        queue.put(one)
    with pytest.raises(Unavailable, match="2 decisions wait already"):
        queue.put(three[2])
    assert next_group(queue) == three[:2]
