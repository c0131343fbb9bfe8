"""Decisions that need something worked out first: one at a time for an account, charged, and not for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Unavailable
from nightlatch.ports import WorkFirst
from nightlatch.store import patience
from nightlatch.store.patience import MOST_WORKS, Patience

if TYPE_CHECKING:
    from collections.abc import Callable


class Guess:
    """An attempt that needs one work, like a guess behind a limiter that lets `left` of them through."""

    def __init__(self, left: int = 1, each: int = 1) -> None:
        self.left = left
        self.each = each
        self.known = 0
        self.worked = 0
        self.working = 0
        self.most_working = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def attempt(self) -> str:
        """Charge where the work was done; ask for it where it was not; nothing where the limiter says no."""
        if not self.left:
            return "locked"
        if self.known < self.each:
            raise WorkFirst(self.work)
        self.left -= 1
        return "refused"

    async def work(self) -> Callable[[], None]:
        """The slow part."""
        self.working += 1
        self.most_working = max(self.most_working, self.working)
        await self.may_go_on.wait()
        await asyncio.sleep(0)
        self.working -= 1
        self.worked += 1
        self.known += 1
        return self.forget

    def forget(self) -> None:
        """What was found is gone."""
        self.known -= 1


async def rounds() -> None:
    """Let everything go on that waits for nothing."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_what_needs_no_work_is_taken_at_once() -> None:
    """Nothing is begun for a decision that asks for nothing."""
    guess = Guess(left=0)
    assert await Patience().decide("corp:a", guess.attempt) == "locked"
    assert guess.worked == 0


async def test_guesses_side_by_side_cost_no_more_than_the_limiter_lets_through() -> None:
    """REC-03: of 200 guesses at one account, five are worked on, one at a time; the others cost nothing."""
    guess, patient = Guess(left=5), Patience()
    outcomes = await asyncio.gather(*(patient.decide("corp:a", guess.attempt) for _ in range(200)))
    assert outcomes.count("refused") == guess.worked == 5
    assert outcomes.count("locked") == 195
    assert guess.most_working == 1
    assert guess.known == 0


async def test_accounts_do_not_wait_for_each_other() -> None:
    """Only one account's own decisions stand in a row."""
    guess, patient = Guess(left=2), Patience()
    guess.may_go_on.clear()
    both = [asyncio.ensure_future(patient.decide(account, guess.attempt)) for account in ("a", "b")]
    await rounds()
    assert guess.working == 2
    guess.may_go_on.set()
    await asyncio.gather(*both)


async def test_a_caller_who_goes_is_charged_all_the_same() -> None:
    """What was begun goes on: a cancelled login is no free guess."""
    guess, patient = Guess(), Patience()
    guess.may_go_on.clear()
    caller = asyncio.ensure_future(patient.decide("corp:a", guess.attempt))
    await rounds()
    assert guess.working == 1
    caller.cancel()
    await asyncio.wait({caller})
    guess.may_go_on.set()
    await rounds()
    assert (guess.worked, guess.left) == (1, 0)


async def test_what_never_ends_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """PLG-01: a work that hangs, or is asked for for ever, denies; the next one has its turn."""
    patient = Patience()
    with pytest.raises(Unavailable, match="ever more"):
        await patient.decide("corp:a", Guess(each=MOST_WORKS + 1).attempt)
    hanging = Guess()
    hanging.may_go_on.clear()
    monkeypatch.setattr(patience, "LONGEST_WORK", 0.02)
    with pytest.raises(Unavailable, match="too long"):
        await patient.decide("corp:a", hanging.attempt)
    monkeypatch.setattr(patience, "LONGEST_WORK", 10.0)
    assert await patient.decide("corp:a", Guess().attempt) == "refused"


async def test_what_was_found_is_forgotten_with_the_decision() -> None:
    """No verdict, and no answer in it, outlives its decision, whether it was taken or failed."""

    class Broken(Guess):
        async def attempt(self) -> str:
            if self.known:
                raise Unavailable("store", "full")
            return await super().attempt()

    broken = Broken()
    with pytest.raises(Unavailable, match="full"):
        await Patience().decide("corp:a", broken.attempt)
    assert (broken.worked, broken.known) == (1, 0)
