"""A daemon follows the store's generation, and keeps what it has where the store says nothing of use."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from structlog.testing import CapturingLogger

from nightlatch.app.receipt_generations import FOLLOW_SECONDS, follow
from nightlatch.keys import MasterKey
from nightlatch.login.receipt_keys import MARK, Generation, ReceiptKeys
from testbed.core import FakeClock, MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.app.world import World


class Steps(FakeClock):
    """Does one thing in each sleep, and ends whoever sleeps after the last."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        super().__init__()
        self.steps = list(steps)

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if not self.steps:
            raise asyncio.CancelledError
        self.steps.pop(0)()


class RacedStore(MemoryStore):
    """A store in which something happens while its answer is on its way."""

    def __init__(self) -> None:
        super().__init__(FakeClock())
        self.meanwhile: Callable[[], object] = lambda: None

    async def mark(self, name: str) -> str:
        text = await super().mark(name)
        self.meanwhile()
        return text

    def say(self, text: str, *, away: bool = False) -> None:
        """What it tells from now on."""
        self.marks[MARK], self.away = text, away


@dataclass
class Daemon:
    """What `follow` takes of a daemon."""

    store: RacedStore = field(default_factory=RacedStore)
    receipt_keys: ReceiptKeys = field(default_factory=lambda: ReceiptKeys(MasterKey(b"m" * 32)))
    log: CapturingLogger = field(default_factory=CapturingLogger)
    clock: FakeClock = field(default_factory=FakeClock)

    def follow(self, *steps: Callable[[], object]) -> list[tuple[str, dict[str, Any]]]:
        """Look once after each step; what was logged."""
        self.clock = Steps(*steps, lambda: None)
        with suppress(asyncio.CancelledError):
            asyncio.run(follow(cast("World", self)))
        return [(str(call.args[0]), call.kwargs) for call in self.log.calls]


def second(number: int = 1, *, at_once: bool = False) -> str:
    """A generation as the store has it."""
    return Generation(number, 5.0, at_once).text()


def test_what_another_daemon_has_changed_is_taken_over_and_told_once() -> None:
    """Within the time of one look."""
    daemon = Daemon()
    [(event, facts)] = daemon.follow(lambda: daemon.store.say(second(at_once=True)))
    assert (event, facts["at_once"]) == ("receipts.new_key", True)
    assert facts["key"] == daemon.receipt_keys.current.id
    assert daemon.receipt_keys.generation == Generation(1, 5.0, at_once=True)
    assert set(daemon.clock.slept) == {FOLLOW_SECONDS}


def test_trouble_is_told_once_each_and_keeps_the_keys() -> None:
    """An outage, a row without a meaning, and a store that went back."""
    daemon, store = Daemon(), RacedStore()
    daemon.store = store
    told = daemon.follow(
        lambda: store.say(second(3)),
        lambda: store.say(second(3), away=True),
        lambda: None,
        lambda: store.say("nonsense"),
        lambda: None,
        lambda: store.say(second(2)),
    )
    assert [event for event, _ in told] == ["receipts.new_key", *["receipts.not_followed"] * 3]
    reasons = [facts["reason"] for _, facts in told[1:]]
    assert ["away" in reasons[0], "malformed" in reasons[1], "older" in reasons[2]] == [True] * 3
    assert daemon.receipt_keys.generation.number == 3


def test_a_rotation_by_this_daemon_while_it_looks_is_no_trouble() -> None:
    """The answer that was on its way is older than what this daemon has just written."""
    daemon = Daemon()
    newest = Generation(1, 5.0)

    def meanwhile() -> None:
        daemon.receipt_keys.follow(newest)

    daemon.store.meanwhile = meanwhile
    assert daemon.follow() == []
    assert daemon.receipt_keys.generation == newest


def test_a_mistake_of_ours_ends_no_looking() -> None:
    """FLT-01: it is told once, and what is withdrawn afterwards is heard of."""
    daemon = Daemon()

    def wrong() -> None:
        raise RuntimeError

    def right() -> None:
        daemon.store.meanwhile = lambda: None
        daemon.store.say(second(at_once=True))

    daemon.store.meanwhile = wrong
    told = daemon.follow(lambda: None, lambda: None, right)
    assert [event for event, _ in told] == ["receipts.not_followed", "receipts.new_key"]
    assert told[0][1]["reason"] == "unexpected RuntimeError"
    assert daemon.receipt_keys.generation.at_once
