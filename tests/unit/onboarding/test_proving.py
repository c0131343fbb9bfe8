"""Who has some factor proves it before another one is set up; who is in by a last resort is offered it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nightlatch import limits
from nightlatch.login import words as login_words
from nightlatch.login.step import Outcome, Prompt, Verdict
from nightlatch.model import LimitState, Result
from nightlatch.onboarding import words
from nightlatch.policy.conditions import MemberOf
from nightlatch.policy.model import EnrollmentMode, Match, Rule
from testbed.core import ALICE
from testbed.newcomers import LED, Newcomer, asked, granted, refused

APP = replace(LED, factors=frozenset({"app"}))
HELPED = replace(LED, factors=frozenset({"app", "help"}))


def with_number(rule: Rule = APP) -> Newcomer:
    """Alice with a number, where the app alone counts."""
    alice = Newcomer(rule)
    alice.give("n1", "number", b"+15550142")
    return alice


async def test_another_factor_is_proven_first_and_grants_nothing() -> None:
    """The person is told why; a wrong code is refused, the right one leads on and is audited as a step."""
    alice = with_number()
    step = await alice.begin()
    assert asked(step) == f"{login_words.PROVE_FIRST}Word sent to number 1: "
    step = await alice.say(step, "wrong")
    assert asked(step) == f"{login_words.WRONG_CODE} Word sent to number 1: "
    step = await alice.say(step, "word1")
    assert asked(step).endswith("\nThe word: ")
    assert [one.result for one in alice.store.events if one.event == "login.factor"] == [
        Result.REFUSED,
        Result.PASSED,
    ]
    granted(await alice.say(step, "word"))
    assert alice.factors == ["number", "app"]


async def test_three_wrong_codes_of_the_other_factor_end_it() -> None:
    """They count like those of any login, and nothing is set up."""
    alice = with_number()
    assert refused(await alice.log_in("a", "b", "c")) == login_words.WRONG_CODE
    assert len(alice.store.limits[limits.factor_scope(ALICE.id)].failures) == 3
    assert alice.factors == ["number"]


async def test_with_several_others_the_person_chooses() -> None:
    """A "?" lists what may prove, and no last resort and no device among them."""
    alice = with_number()
    alice.give("p1", "paper")
    alice.give("h1", "help")
    step = await alice.say(await alice.begin(), "?")
    assert "Text message" in asked(step)
    assert "Paper code" in asked(step)
    assert "No way in" not in asked(step)
    step = await alice.say(step, "2" if "2  Paper" in asked(step) else "1", "AAAA")
    assert asked(step).endswith("\nThe word: ")


@pytest.mark.parametrize("factor", ["help", "gone"])
async def test_what_can_not_be_asked_is_no_proof(factor: str) -> None:
    """DEV-03: a last resort, or a factor that is switched off: refused, and not taken for a newcomer."""
    alice = Newcomer(APP)
    alice.give("x1", factor)
    assert refused(await alice.begin()) == login_words.NO_CREDENTIAL


async def test_a_device_is_neither_a_proof_nor_in_the_way() -> None:
    """DEV-03: whoever has nothing but a device left is led like a newcomer, with or without it."""
    rule = replace(APP, factors=frozenset({"app"}), trusted_device_days=30)
    for evidence in ((), ("ssh:ssh-ed25519 AAAA",)):
        alice = Newcomer(rule)
        alice.give("d1", "device", f"ssh:ssh-ed25519 AAAA|{alice.clock.now() + 9e6}".encode())
        step = await alice.begin(evidence=evidence)
        assert asked(step).endswith("\nThe word: ")


async def test_nothing_is_asked_where_it_leads_nowhere() -> None:
    """Where enrolment is closed and there is no grace, no code is sent for nothing."""
    alice = with_number(replace(APP, enrollment=EnrollmentMode.CLOSED))
    assert refused(await alice.begin()) == login_words.NO_CREDENTIAL
    assert alice.post.sent == []


async def test_grace_comes_behind_the_proof() -> None:
    """Who has a factor shows it before the second step is put off."""
    alice = with_number(replace(APP, grace_logins=1))
    step = await alice.begin()
    assert asked(step).startswith(login_words.PROVE_FIRST)
    step = await alice.say(step, "word1")
    assert "put it off 1 more time" in asked(step)
    granted(await alice.say(step, "n"))


async def test_the_proof_counts_while_its_credential_is_there() -> None:
    """SES-04: removed between the proof and the confirming code: refused, nothing stored."""
    alice = with_number()
    step = await alice.log_in("word1")
    alice.store.held[ALICE.id].clear()
    refused(await alice.say(step, "word"))
    assert alice.factors == []


async def test_after_a_last_resort_a_new_second_step_is_offered() -> None:
    """Whatever is answered, the person is in; a yes leads to the factor."""
    for answers in (("n",), ("y", "a", "b", "c"), ("", "word")):
        alice = Newcomer(HELPED)
        alice.give("h1", "help")
        step = await alice.log_in("y", "word1")
        assert asked(step) == words.ANEW
        granted(await alice.say(step, *answers))
        assert alice.factors == (["help", "app"] if "word" in answers else ["help"])
    rows = [one for one in alice.store.events if one.event == "login.factor"]
    assert [one.result for one in rows] == [Result.GRANTED], "one grant, by the last resort"


async def test_beside_a_lost_phone_the_new_one_has_another_name() -> None:
    """The old app stays until somebody removes it; the new one is told from it."""
    alice = Newcomer(HELPED)
    alice.give("h1", "help")
    alice.give("a1", "app")
    alice.store.held[ALICE.id]["a1"] = replace(alice.store.held[ALICE.id]["a1"], label="Authenticator app")
    granted(await alice.log_in("?", "2", "y", "word1", "y", "word"))
    assert [one.label for one in alice.store.held[ALICE.id].values()][1:] == [
        "Authenticator app",
        "Authenticator app 2",
    ]


async def test_an_accepted_last_resort_is_no_way_round_a_lock() -> None:
    """SES-04: locked, or the credential removed, while the question is open: not in."""
    alice = Newcomer(HELPED)
    alice.give("h1", "help")
    step = await alice.log_in("y", "word1")
    alice.store.limits[limits.factor_scope(ALICE.id)] = LimitState(disabled=True)
    ended = await alice.say(step, "n")
    assert isinstance(ended, Outcome)
    assert ended.verdict is Verdict.LOCKED
    alice = Newcomer(HELPED)
    alice.give("h1", "help")
    step = await alice.log_in("y", "word1")
    alice.store.held[ALICE.id].clear()
    refused(await alice.say(step, "n"))


async def test_after_a_last_resort_an_invite_is_wanted_where_policy_says_so() -> None:
    """With an open invite it is asked for; without one nothing is offered. Wrong ones keep nobody out."""
    rule = replace(HELPED, enrollment=EnrollmentMode.INVITE)
    alice = Newcomer(rule)
    alice.give("h1", "help")
    assert granted(await alice.log_in("y", "word1")) == login_words.ENROL_ANEW
    text = (await alice.world.invites.create("admin uid=0", "alice")).text.reveal()
    step = await alice.log_in("y", "word1", "y")
    assert asked(step) == words.INVITE
    granted(await alice.say(step, "x", "y", "z"))
    granted(await alice.log_in("y", "word1", "y", text, "word"))
    assert alice.factors == ["help", "app"]


async def test_what_nobody_could_find_out_leads_nobody() -> None:
    """A group look-up that fails in the dialogue is an outage: nothing is set up behind an unsure rule."""
    alice = Newcomer(APP)
    step = await alice.begin()
    assert isinstance(step, Prompt)
    alice.world.directory.away_for_groups = True
    members = MemberOf(frozenset({"cn=admins,dc=nl"}), frozenset())
    alice.rules(replace(APP, match=Match(who=(members,))))
    ended = await alice.say(step, "word")
    assert isinstance(ended, Outcome)
    assert ended.verdict is Verdict.UNAVAILABLE
    assert alice.factors == []
