"""Logins that policy lets in without a second factor, and rules whose groups nobody could read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nightlatch.limits import factor_scope
from nightlatch.login.step import LoginRequest, Outcome, Primary, Prompt, Verdict
from nightlatch.model import Group, Groups, LimitState, Result
from nightlatch.policy.conditions import MemberOf, Networks, Services
from nightlatch.policy.index import group_key
from nightlatch.policy.model import Match, Rule, SecondFactor
from testbed.core import ALICE, World

ADMINS = "cn=admins,dc=example"
AMONG_ADMINS = Match((MemberOf(frozenset({ADMINS}), frozenset({group_key(ADMINS)})),))
EXEMPT = Rule("robots", second_factor=SecondFactor.SKIP, exemption="no hands")
OBSERVING = Rule("trial", second_factor=SecondFactor.OBSERVE, factors=frozenset({"word"}))


@pytest.fixture
def world() -> World:
    """Alice with a word."""
    return World()


async def signed_in(world: World, code: bytes = b"") -> Outcome | Prompt:
    """The step after alice's password, or after the code behind it."""
    request = LoginRequest("alice", "sshd", "192.0.2.1", "", Primary.PASSWORD)
    begun = await world.engine.begin("pam uid=0", request)
    assert isinstance(begun, Prompt)
    step = await world.engine.answer("pam uid=0", begun.ticket, b"right")
    if code and isinstance(step, Prompt):
        step = await world.engine.answer("pam uid=0", step.ticket, code)
    assert isinstance(step, Outcome | Prompt)
    return step


async def test_an_exemption_is_audited_before_it_lets_anybody_in(world: World) -> None:
    """The row names the rule and its reason; behind a wrong password there is no exemption."""
    world.rules(EXEMPT)
    step = await signed_in(world)
    assert isinstance(step, Outcome)
    assert (step.verdict, step.factor) == (Verdict.GRANTED, "")
    row = world.store.events[-1]
    assert (row.event, row.result, row.reason) == ("login.exempt", Result.GRANTED, "robots: no hands")


async def test_a_terminal_is_no_address_whatever_it_is_called(world: World) -> None:
    """POL-04: a display or a terminal may be called like an address: it is in no network."""
    near = Match(where=(Networks.of("10.0.0.0/8"),))
    world.rules(Rule("near", near, second_factor=SecondFactor.SKIP, exemption="inside"))
    for remote_host, terminal, granted in (("10.0.0.5", "", True), ("", "10.0.0.5", False)):
        request = LoginRequest("alice", "sshd", remote_host, terminal, Primary.PASSWORD)
        begun = await world.engine.begin("pam uid=0", request)
        assert isinstance(begun, Prompt)
        step = await world.engine.answer("pam uid=0", begun.ticket, b"right")
        assert isinstance(step, Outcome) is granted, terminal


async def test_an_exemption_is_no_way_round_a_lock(world: World) -> None:
    """THR-06: a second factor that is blocked is blocked where none would be asked for, too."""
    world.rules(EXEMPT)
    until = world.clock.now() + 60
    world.store.limits[factor_scope(ALICE.id)] = LimitState((world.clock.now(),), 5, until)
    step = await signed_in(world)
    assert isinstance(step, Outcome)
    assert step.verdict is Verdict.LOCKED


async def test_observation_lets_in_and_says_what_would_have_been(world: World) -> None:
    """With a credential that counts and without one."""
    world.rules(OBSERVING)
    for said in ("would have been asked for word", "would have been refused: no credential"):
        step = await signed_in(world)
        assert isinstance(step, Outcome)
        assert step.verdict is Verdict.GRANTED
        row = world.store.events[-1]
        assert (row.event, row.result) == ("login.observed", Result.GRANTED)
        assert said in row.reason
        world.store.held.clear()


async def test_a_rule_under_observation_beside_a_demand_says_what_it_would_have_refused(world: World) -> None:
    """The demand is met by a factor that the observed rule would not let count."""
    world.rules(replace(OBSERVING, factors=frozenset({"sent"})), Rule("demand"))
    step = await signed_in(world, b"word")
    assert isinstance(step, Outcome)
    assert step.verdict is Verdict.GRANTED
    assert world.store.events[-1].event == "login.observed"
    assert "word does not count" in world.store.events[-1].reason


async def test_groups_that_can_not_be_read_exempt_nobody_and_are_asked_for_once(world: World) -> None:
    """An outage of the groups means that the demand applies, and is looked for once in a call."""
    world.rules(replace(EXEMPT, match=AMONG_ADMINS))
    world.directory.member_of[ALICE.stable_id] = Groups((Group(ADMINS, "admins"),), world.clock.now())
    granted = await signed_in(world)
    assert isinstance(granted, Outcome)
    world.directory.away_for_groups = True
    before = world.directory.asked_for_groups
    assert isinstance(await signed_in(world), Prompt)
    assert world.directory.asked_for_groups == before + 1


async def test_who_has_nothing_because_groups_are_away_meets_an_outage(world: World) -> None:
    """A rule that may not even concern the person is never the reason for a refusal."""
    world.rules(Rule("admins", AMONG_ADMINS, factors=frozenset({"sent"})))
    world.directory.away_for_groups = True
    step = await signed_in(world)
    assert isinstance(step, Outcome)
    assert step.verdict is Verdict.UNAVAILABLE


async def test_a_service_that_no_rule_names_gets_the_default(world: World) -> None:
    """POL-05: the exemption of another service spares nothing here."""
    world.rules(replace(EXEMPT, match=Match(where=(Services(frozenset({"cron"})),))))
    assert isinstance(await signed_in(world), Prompt)
