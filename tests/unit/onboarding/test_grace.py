"""Grace: how often and how long a second step may be put off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nightlatch import limits
from nightlatch.administration import Administration
from nightlatch.login import words as login_words
from nightlatch.login.step import Outcome, Verdict
from nightlatch.model import LimitState, Standing
from nightlatch.onboarding import words
from nightlatch.policy.model import EnrollmentMode
from testbed.core import ALICE
from testbed.newcomers import LED, Newcomer, asked, granted, refused

DAY = 86_400.0
APP = replace(LED, factors=frozenset({"app"}))
TWICE = replace(APP, grace_logins=2)
A_WEEK = replace(APP, grace_days=7)


async def test_it_is_put_off_twice_and_then_there_is_no_question() -> None:
    """The prompt counts down; a "n" lets in and is counted and audited; the third login is led at once."""
    alice = Newcomer(TWICE)
    step = await alice.begin()
    assert asked(step) == f"{words.NEEDED} Set it up now? You can put it off 2 more times. [Y/n] "
    granted(await alice.say(step, "n"))
    step = await alice.begin()
    assert "put it off 1 more time. [Y/n]" in asked(step)
    granted(await alice.say(step, "No"))
    assert asked(await alice.begin()).endswith("The word: ")
    assert alice.audit("login.grace") == ["led: put off 1 of 2 times", "led: put off 2 of 2 times"]
    assert alice.factors == []


@pytest.mark.parametrize("answer", ["", "y", "x", "0"])
async def test_anything_but_a_no_sets_it_up(answer: str) -> None:
    """Enter is a yes: only a clear no puts it off."""
    alice = Newcomer(TWICE)
    step = await alice.log_in(answer)
    assert asked(step).endswith("The word: ")
    granted(await alice.say(step, "word"))
    assert ALICE.id not in alice.store.stood


async def test_days_count_from_the_first_time() -> None:
    """Until when is said; the days begin with the first login that was put off, and end by the clock."""
    alice = Newcomer(A_WEEK)
    step = await alice.begin()
    assert "You can put it off until 2023-11-21 22:13 UTC. [Y/n]" in asked(step)
    granted(await alice.say(step, "n"))
    alice.clock.time += 6.9 * DAY
    step = await alice.begin()
    assert "until 2023-11-21 22:13 UTC" in asked(step)
    granted(await alice.say(step, "n"))
    assert alice.audit("login.grace")[-1] == "led: put off, 2 times so far"
    alice.clock.time += 0.2 * DAY
    assert asked(await alice.begin()).endswith("The word: ")


async def test_with_both_what_ends_first_counts() -> None:
    """Both are said; the logins may be used up before the days are, or the other way round."""
    alice = Newcomer(replace(A_WEEK, grace_logins=1))
    step = await alice.begin()
    assert "put it off 1 more time and until 2023-11-21 22:13 UTC. [Y/n]" in asked(step)
    granted(await alice.say(step, "n"))
    assert asked(await alice.begin()).endswith("The word: ")
    late = Newcomer(replace(A_WEEK, grace_logins=9))
    late.store.stood[ALICE.id] = Standing(grace_started_at=late.clock.now() - 7 * DAY, grace_logins=1)
    assert asked(await late.begin()).endswith("The word: ")


async def test_parallel_logins_get_no_more_than_there_are() -> None:
    """Three questions are open at once, one time is left: one gets in, the others are led on."""
    alice = Newcomer(replace(APP, grace_logins=1))
    steps = [await alice.begin() for _ in range(3)]
    granted(await alice.say(steps[0], "n"))
    for step in steps[1:]:
        assert asked(await alice.say(step, "n")).endswith("The word: ")


async def test_nothing_gives_grace_back() -> None:
    """Neither unlocking, nor another name, nor a factor that came and went."""
    alice = Newcomer(TWICE)
    await alice.log_in("n")
    await alice.log_in("n")
    granted(await alice.log_in("word"))
    alice.store.held[ALICE.id].clear()
    administration = Administration(alice.world.parts, {}, alice.world.invites)
    await administration.unlock("admin uid=0", "alice")
    alice.world.directory.known["alicia"] = replace(ALICE, name="alicia")
    assert asked(await alice.begin("alicia")).endswith("The word: ")


async def test_who_is_locked_or_has_a_factor_by_now_gets_no_grace() -> None:
    """THR-06, SES-04: it is looked at in the transaction that counts."""
    alice = Newcomer(TWICE)
    step = await alice.begin()
    alice.store.limits[limits.factor_scope(ALICE.id)] = LimitState(disabled=True)
    locked = await alice.say(step, "n")
    assert isinstance(locked, Outcome)
    assert locked.verdict is Verdict.LOCKED
    alice = Newcomer(TWICE)
    step = await alice.begin()
    alice.give("c1", "app")
    assert refused(await alice.say(step, "n")) == words.MEANWHILE
    assert alice.store.stood == {}


async def test_a_store_that_goes_away_grants_no_grace() -> None:
    """What can not be counted is not given."""
    alice = Newcomer(TWICE)
    step = await alice.begin()
    alice.store.away = True
    ended = await alice.say(step, "n")
    assert isinstance(ended, Outcome)
    assert ended.verdict is Verdict.UNAVAILABLE


async def test_where_enrolment_is_closed_the_person_is_told_and_says_yes() -> None:
    """They are told whom to ask and how long they have; Enter lets nobody in."""
    alice = Newcomer(replace(TWICE, enrollment=EnrollmentMode.CLOSED))
    step = await alice.begin()
    assert "Ask your administrator" in asked(step)
    assert asked(step).endswith("2 more times. Sign in without it now? [y/N] ")
    assert refused(await alice.say(step, "")) == login_words.NO_CREDENTIAL
    granted(await alice.log_in("y"))
    granted(await alice.log_in("yes"))
    assert refused(await alice.begin()) == login_words.NO_CREDENTIAL


async def test_grace_is_for_nobody_whom_no_rule_gives_it() -> None:
    """Without grace the dialogue begins at once; a reload that takes it away counts in an open login."""
    alice = Newcomer(TWICE)
    step = await alice.begin()
    alice.rules(APP)
    assert asked(await alice.say(step, "n")).endswith("The word: ")
