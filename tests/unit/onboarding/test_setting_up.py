"""Setting up a second step inside a login: the questions, what is shown, and what is never enough."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nightlatch import limits
from nightlatch.factor import Enrollment
from nightlatch.login import words as login_words
from nightlatch.login.step import Outcome, Prompt, PromptKind, Verdict
from nightlatch.login.ticket import TicketError
from nightlatch.model import LimitState, Result
from nightlatch.onboarding import words
from nightlatch.policy.model import EnrollmentMode
from testbed.core import ALICE
from testbed.newcomers import APP_URI, LED, Newcomer, PaperFactor, asked, granted, refused
from testbed.qr import code_lines, decode

if TYPE_CHECKING:
    from pathlib import Path

ONLY_APP = replace(LED, factors=frozenset({"app"}))
ONLY_NUMBER = replace(LED, factors=frozenset({"number"}))
USELESS = ("", "n", "y", "no", "0", "9", "1", "-1", "word-spent", "?", "\x00", "x" * 2000, "ünïcode")


async def test_a_person_is_led_to_a_factor_codes_on_paper_and_in() -> None:
    """The app by its number, a wrong code told, the right one stored, the paper shown, Enter: granted.

    The secret is shown once, and not with the second try (ENR-04).
    The next login asks for the app, though the paper is newer: nobody has shown that one yet.
    """
    alice = Newcomer()
    step = await alice.begin()
    assert asked(step).splitlines()[1:] == [
        "  1  Authenticator app",
        "  2  Text message",
        "  3  Message",
        "Number [1]: ",
    ]
    step = await alice.say(step, "")
    assert "secret   JBSW Y3DP" in asked(step)
    assert asked(step).endswith("\nThe word: ")
    step = await alice.say(step, "guess")
    assert asked(step) == f"{login_words.WRONG_CODE} The word: "
    assert alice.factors == []
    step = await alice.say(step, "word")
    assert asked(step).startswith("Done. Here are two paper codes; each works once. Write them down now:")
    assert "\n  1  AAAA\n  2  BBBB\n" in asked(step)
    assert alice.factors == ["app", "paper"]
    granted(await alice.say(step, ""))
    held = alice.store.held[ALICE.id]
    held.update(
        {
            one.id: replace(one, created_at=one.created_at + 1)
            for one in held.values()
            if one.label == "Paper code"
        }
    )
    assert alice.audit("login.factor") == ["set up at this login"]
    assert len(alice.audit("credential.add")) == 2
    assert asked(await alice.begin()).startswith('The word "Authenticator app"')


async def test_the_code_that_confirmed_is_spent() -> None:
    """OTP-07: the first code does not sign in again."""
    alice = Newcomer(ONLY_APP)
    granted(await alice.log_in("word"))
    assert login_words.WRONG_CODE in asked(await alice.log_in("word"))


async def test_one_way_is_no_question(tmp_path: Path) -> None:
    """With one factor there is no list; the code to scan fits 80 columns and a phone reads it."""
    alice = Newcomer(ONLY_APP)
    text = asked(await alice.begin())
    lines = code_lines(text)
    assert decode(lines, tmp_path) == APP_URI
    assert max(map(len, text.splitlines())) <= 80
    assert len(text.encode()) < 12288, "what the PAM module shows at most"
    assert not code_lines(text.splitlines()[0]), (
        "the client puts the person's name in front of the first line"
    )


@pytest.mark.parametrize(("length", "drawn"), [(458, True), (600, False), (2048, False)])
def test_what_does_not_fit_is_typed(length: int, drawn: bool) -> None:  # noqa: FBT001
    """PAM-12: the widest code that is drawn leaves room for the question; a longer one is not begun."""
    made = Enrollment(b"", APP_URI.ljust(length, "x"), (("secret", "JBSW Y3DP"), ("account", "é" * 200)))
    text = words.shown(made)
    assert bool(code_lines(text)) is drawn
    assert "secret   JBSW Y3DP" in text
    assert len(text.encode()) < 12_000


async def test_a_caller_that_draws_gets_the_parts() -> None:
    """With draws_qr payload and details come by themselves, and the text has neither; else only the text."""
    alice = Newcomer(replace(LED, factors=frozenset({"app", "paper"})))
    step = await alice.begin(draws_qr=True)
    assert isinstance(step, Prompt)
    assert (step.text, step.qr_payload, step.kind) == ("The word: ", APP_URI, PromptKind.ENROLLMENT)
    assert step.details == (("account", "nl: alice"), ("secret", "JBSW Y3DP"))
    step = await alice.say(step, "word")
    assert isinstance(step, Prompt)
    assert "AAAA" not in step.text
    assert step.details == (("code 1", "AAAA"), ("code 2", "BBBB"))
    plain = await Newcomer(ONLY_APP).begin()
    assert isinstance(plain, Prompt)
    assert (plain.qr_payload, plain.details) == ("", ())


async def test_nothing_secret_is_in_a_repr_or_the_audit() -> None:
    """LEK-01: the secret is in the prompt's text, and in nothing that may be logged."""
    alice = Newcomer(ONLY_APP)
    step = await alice.begin()
    assert "JBSW" in asked(step)
    await alice.say(step, "guess")
    assert "JBSW" not in repr(step) + repr(alice.store.events)
    assert "guess" not in repr(alice.store.events)


async def test_three_wrong_codes_end_it_and_nothing_is_stored() -> None:
    """A login has three tries; then it is refused, and the person begins another."""
    alice = Newcomer(ONLY_APP)
    assert refused(await alice.log_in("a", "b", "c")) == words.NOTHING_STORED
    assert alice.factors == []
    assert not alice.store.limits[limits.factor_scope(ALICE.id)].failures


@pytest.mark.parametrize("answer", USELESS)
@pytest.mark.parametrize("rule", [LED, ONLY_APP, ONLY_NUMBER])
async def test_no_answer_but_the_code_lets_anyone_in(answer: str, rule: object) -> None:
    """The same useless answer to whatever is asked: the login ends, is not granted, and stores nothing."""
    alice = Newcomer(rule)  # type: ignore[arg-type]  # pytest gives objects
    step = await alice.begin()
    for _ in range(12):
        if isinstance(step, Outcome):
            break
        step = await alice.say(step, answer)
    assert isinstance(step, Outcome), "it ends"
    assert step.verdict is not Verdict.GRANTED
    assert alice.factors == []


async def test_a_question_is_answered_once_and_by_its_caller() -> None:
    """SES-01, SES-03: no ticket of the dialogue opens twice, for another caller, or after 300 seconds."""
    alice = Newcomer(ONLY_APP)
    step = await alice.begin()
    assert isinstance(step, Prompt)
    with pytest.raises(TicketError):
        await alice.world.engine.answer("client vpn", step.ticket, b"word")
    again = await alice.say(step, "guess")
    with pytest.raises(TicketError):
        await alice.say(step, "word")
    alice.clock.time += 299
    granted(await alice.say(again, "word"))
    late = await Newcomer(ONLY_APP).begin()
    alice.clock.time += 301
    with pytest.raises(TicketError):
        await alice.say(late, "word")


async def test_the_first_of_two_dialogues_wins() -> None:
    """Two logins of one person at once: the second to confirm finds a factor, and is refused."""
    alice = Newcomer(ONLY_APP)
    one, other = await alice.begin(), await alice.begin()
    granted(await alice.say(one, "word"))
    assert refused(await alice.say(other, "word")) == words.MEANWHILE
    assert alice.factors == ["app"]


async def test_who_is_locked_or_disabled_meanwhile_sets_nothing_up() -> None:
    """SES-04, THR-06: it is looked at again in the transaction that stores."""
    alice = Newcomer(ONLY_APP)
    step = await alice.begin()
    alice.store.limits[limits.factor_scope(ALICE.id)] = LimitState(disabled=True)
    locked = await alice.say(step, "word")
    assert isinstance(locked, Outcome)
    assert locked.verdict is Verdict.LOCKED
    assert alice.factors == []


async def test_what_policy_closes_meanwhile_is_closed() -> None:
    """POL-05: a reload in the middle counts: enrolment closed, the factor gone, or an invite wanted."""
    for rule in (
        replace(ONLY_APP, enrollment=EnrollmentMode.CLOSED),
        replace(LED, factors=frozenset({"number"})),
    ):
        alice = Newcomer(ONLY_APP)
        step = await alice.begin()
        alice.rules(rule)
        assert refused(await alice.say(step, "word")) == login_words.NO_CREDENTIAL
        assert alice.factors == []
    alice = Newcomer(ONLY_APP)
    step = await alice.begin()
    alice.rules(replace(ONLY_APP, enrollment=EnrollmentMode.INVITE))
    assert asked(await alice.say(step, "word")) == words.INVITE
    assert alice.factors == []


async def test_closed_and_without_a_way_is_as_before() -> None:
    """Where enrolment is closed, or nothing can be set up, the person is told whom to ask."""
    for rule in (replace(LED, enrollment=EnrollmentMode.CLOSED), replace(LED, factors=frozenset({"paper"}))):
        assert refused(await Newcomer(rule).begin()) == login_words.NO_CREDENTIAL


async def test_a_login_is_not_kept_open_for_ever() -> None:
    """Each question has 300 seconds of its own, so their number has an end, whatever is wished for."""
    alice = Newcomer(ONLY_APP)
    step = await alice.begin()
    questions = 1
    while isinstance(step := await alice.say(step, "again"), Prompt):
        questions += 1
    assert questions == 30
    assert alice.factors == []
    assert isinstance(step, Outcome)
    assert step.verdict is Verdict.REFUSED


async def test_a_wrong_code_is_answered_no_sooner_than_any_refusal() -> None:
    """After 250 ms at least, like every negative answer."""
    alice = Newcomer(ONLY_APP)
    step = await alice.begin()
    alice.clock.slept.clear()
    await alice.say(step, "guess")
    assert sum(alice.clock.slept) >= 0.25


async def test_paper_that_can_not_be_printed_keeps_nobody_out() -> None:
    """The factor was proven; what was to come with it is not worth a refusal."""
    alice = Newcomer()
    PaperFactor.torn = True
    try:
        granted(await alice.log_in("1", "word"))
    finally:
        PaperFactor.torn = False
    assert alice.factors == ["app"]


async def test_who_loses_the_new_factor_before_enter_does_not_get_in() -> None:
    """SES-04: between the paper and Enter an administrator removes the credential: refused."""
    alice = Newcomer()
    step = await alice.log_in("1", "word")
    alice.store.held[ALICE.id].clear()
    assert refused(await alice.say(step, ""))


async def test_a_store_that_goes_away_lets_nobody_in() -> None:
    """OTP-08: the code is right, and can not be written."""
    alice = Newcomer(ONLY_APP)
    step = await alice.begin()
    alice.store.away = True
    ended = await alice.say(step, "word")
    assert isinstance(ended, Outcome)
    assert ended.verdict is Verdict.UNAVAILABLE


async def test_a_device_may_be_trusted_after_setting_up() -> None:
    """The confirming answer is a fresh proof: the question about the device follows, as after any login."""
    alice = Newcomer(replace(ONLY_APP, factors=frozenset({"app", "device"}), trusted_device_days=30))
    step = await alice.say(await alice.begin(evidence=("ssh:ssh-ed25519 AAAA",)), "word")
    assert asked(step) == "Trust it for 30 days? [y/N] "
    granted(await alice.say(step, "y"))
    assert alice.factors == ["app", "device"]
    assert [one.result for one in alice.store.events if one.event == "login.factor"] == [Result.GRANTED]
