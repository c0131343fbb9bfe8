"""What may happen once, happens once: logins of one person at two daemons that share a real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.keys import Sealer
from nightlatch.login.step import Outcome, Prompt, Step, Verdict
from nightlatch.login.ticket import Tickets
from nightlatch.onboarding import words
from nightlatch.policy.model import EnrollmentMode
from testbed.core import ALICE
from testbed.fixtures_store import SystemRandomness
from testbed.newcomers import LED, Newcomer

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.policy.model import Rule
    from nightlatch.store import SqlStore
    from testbed.fixtures_store import SetClock

APP = replace(LED, factors=frozenset({"app"}))
AT_ONCE = 8


class Daemons:
    """Two daemons, and the store of one of them."""

    def __init__(self, stores: tuple[SqlStore, SqlStore], clock: SetClock) -> None:
        self.store = stores[0]
        self.both = [Newcomer(APP) for _ in stores]
        for one, store in zip(self.both, stores, strict=True):
            randomness = SystemRandomness()
            tickets = Tickets(Sealer(b"k" * 32, randomness), randomness)
            one.world.parts = replace(
                one.world.parts, store=store, clock=clock, randomness=randomness, tickets=tickets
            )

    def rules(self, rule: Rule) -> None:
        """Replace the policy of both."""
        for one in self.both:
            one.rules(rule)

    async def questions(self, *answers: str) -> list[tuple[Newcomer, Step]]:
        """Eight logins, four at each daemon, up to the same question."""
        return [(one, await one.log_in(*answers)) for one in self.both * (AT_ONCE // 2)]


async def all_say(questions: list[tuple[Newcomer, Step]], answer: str) -> list[Step]:
    """The same answer to all of them, at the same time."""
    return await asyncio.gather(*(one.say(step, answer) for one, step in questions))


def grants(steps: list[Step]) -> int:
    """How many of the steps are grants."""
    return sum(isinstance(step, Outcome) and step.verdict is Verdict.GRANTED for step in steps)


@pytest.fixture
def daemons(
    store_url: str,
    open_stores: Callable[[str], SqlStore],
    store_clock: SetClock,
    request: pytest.FixtureRequest,
) -> Daemons:
    """On PostgreSQL two stores, on SQLite one for both: its file belongs to one daemon."""
    first = open_stores(store_url)
    second = open_stores(store_url) if store_url.startswith("postgresql") else first
    return Daemons((first, second), store_clock)


async def test_the_first_to_confirm_wins(daemons: Daemons) -> None:
    """Eight dialogues of one person, eight right codes at once: one credential, one grant."""
    steps = await all_say(await daemons.questions(), "word")
    assert grants(steps) == 1
    told = [step.message for step in steps if isinstance(step, Outcome) and step.message]
    assert told == [words.MEANWHILE] * (AT_ONCE - 1)
    assert len(await daemons.store.credentials(ALICE.id)) == 1


async def test_grace_is_counted_once_for_each_login(daemons: Daemons) -> None:
    """Three times are left, eight people at once say "n": three get in, the others are led on."""
    daemons.rules(replace(APP, grace_logins=3))
    steps = await all_say(await daemons.questions(), "n")
    assert grants(steps) == 3
    assert sum(isinstance(step, Prompt) for step in steps) == AT_ONCE - 3
    assert (await daemons.store.standing(ALICE.id)).grace_logins == 3


async def test_an_invite_is_spent_once(daemons: Daemons) -> None:
    """The right invite four times at once: one login goes on, and the others are charged for a wrong one."""
    daemons.rules(replace(APP, enrollment=EnrollmentMode.INVITE))
    invites = daemons.both[0].world.invites
    text = (await invites.create("admin uid=0", "alice")).text.reveal()
    questions = (await daemons.questions())[:4]
    steps = await all_say(questions, text)
    on = [step for step in steps if isinstance(step, Prompt) and words.WRONG_INVITE not in step.text]
    assert len(on) == 1
    assert (await daemons.store.standing(ALICE.id)).invite == ""
