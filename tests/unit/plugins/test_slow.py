"""Factors whose verify is slow: never in the decision, never too many at a time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from nightlatch.errors import Unavailable
from nightlatch.factor import Decision, FactorPlugin, Settings, Verdict
from nightlatch.plugins.facade import CallContext, FactorFacade
from nightlatch.plugins.slow import MOST_AT_ONCE, Question, at_once
from nightlatch.ports import WorkFirst
from nightlatch.testing import Repeatable
from testbed.core import WordFactor
from testbed.process import wait_until

CONTEXT = CallContext(1000.0, 1001.0, Repeatable("slow"))


class SlowFactor(WordFactor):
    """Says in which thread it was asked, and waits where a test says so."""

    def __init__(self) -> None:
        self.threads: list[str] = []
        self.may_end = threading.Event()
        self.may_end.set()
        self.running = 0

    def verify(self, state: bytes, memo: bytes, answer: str, context: object) -> Verdict:
        self.threads.append(threading.current_thread().name)
        self.running += 1
        self.may_end.wait(10)
        self.running -= 1
        if answer == "boom":
            raise RuntimeError(answer)
        return Verdict(Decision.ACCEPT if answer.encode() == state else Decision.REJECT)


@pytest.fixture
def factor() -> SlowFactor:
    """The factor itself."""
    return SlowFactor()


@pytest.fixture
def facade(factor: SlowFactor) -> FactorFacade:
    """The factor as the core sees it."""
    plugin = FactorPlugin("slow", "Slow", Settings, lambda _: factor, slow=True)
    return FactorFacade(plugin, factor, lambda: 0.0)


def first(facade: FactorFacade, state: bytes = b"word", answer: str = "word") -> WorkFirst:
    """What a decision is told that asks for a verdict which nobody has worked out."""
    with pytest.raises(WorkFirst) as caught:
        facade.verify(state, b"", answer, CONTEXT)
    return caught.value


async def test_a_decision_gets_the_verdict_that_was_worked_out_before(
    facade: FactorFacade, factor: SlowFactor
) -> None:
    """The decision itself calls nothing; the verdict was found on a thread of its own, and is forgotten."""
    asked = first(facade)
    assert factor.threads == []
    forget = await asked.work()
    assert facade.verify(b"word", b"", "word", CONTEXT).decision is Decision.ACCEPT
    assert factor.threads == ["verify-slow"]
    forget()
    first(facade)


@pytest.mark.parametrize(
    ("state", "memo", "answer"), [(b"word-spent", b"", "word"), (b"word", b"m", "word"), (b"word", b"", "w")]
)
async def test_a_verdict_counts_for_its_own_question_only(
    facade: FactorFacade, state: bytes, memo: bytes, answer: str
) -> None:
    """OTP-07: once the state has changed, what was worked out for the one before is worth nothing."""
    await first(facade).work()
    with pytest.raises(WorkFirst):
        facade.verify(state, memo, answer, CONTEXT)


async def test_no_more_than_a_few_run_at_a_time(facade: FactorFacade, factor: SlowFactor) -> None:
    """REC-03: of 20 people at once a few are verified at a time, also when those who ask have gone."""
    factor.may_end.clear()
    works = [first(facade, b"%d" % number) for number in range(20)]
    tasks = [asyncio.ensure_future(work.work()) for work in works]
    await asyncio.to_thread(wait_until, lambda: factor.running == at_once(), "the first calls")
    for task in tasks[: at_once()]:
        task.cancel()
    await asyncio.wait(tasks[: at_once()])
    assert len(factor.threads) == at_once() <= MOST_AT_ONCE
    factor.may_end.set()
    await asyncio.gather(*tasks[at_once() :])
    assert len(factor.threads) == 20


async def test_a_factor_that_fails_is_an_outage_and_frees_its_place(facade: FactorFacade) -> None:
    """PLG-01: what verify raises comes out of the work, without the answer, and others have their turn."""
    for _ in range(MOST_AT_ONCE + 1):
        with pytest.raises(Unavailable, match="verify raised RuntimeError") as caught:
            await first(facade, answer="boom").work()
        assert "boom" not in str(caught.value)
    await first(facade).work()


def test_a_question_tells_nothing() -> None:
    """LEK-01: no state and no answer in a repr."""
    assert repr(Question(b"canary", b"canary", "canary")) == "Question(…)"
