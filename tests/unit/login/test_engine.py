"""The login's state machine, on fakes of what is outside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nightlatch import limits
from nightlatch.login import words
from nightlatch.login.step import LoginRequest, Outcome, Primary, Prompt, PromptKind, Step, Verdict, Wait
from nightlatch.login.ticket import TicketError
from nightlatch.model import Result
from nightlatch.policy.model import Rule
from testbed.core import ALICE, World

CALLER = "pam uid=0"


@pytest.fixture
def world() -> World:
    """An engine on fakes."""
    return World()


async def begin(world: World, user: str = "alice", primary: Primary = Primary.PASSWORD) -> Step:
    """The first step."""
    return await world.engine.begin(CALLER, LoginRequest(user, "sshd", "192.0.2.1", "ssh", primary))


async def say(world: World, step: Step, *answers: str) -> Step:
    """Answer one prompt after another."""
    for answer in answers:
        assert isinstance(step, Prompt | Wait), step
        step = await world.engine.answer(CALLER, step.ticket, answer.encode())
    return step


def ended(step: Step, verdict: Verdict) -> Outcome:
    """The outcome that a step is."""
    assert isinstance(step, Outcome), step
    assert step.verdict is verdict
    return step


async def test_right_password_and_right_proof_are_granted(world: World) -> None:
    """A person who shows both is let in, under the name that the directory has."""
    step: Step = await world.engine.begin(
        "client vpn", LoginRequest("ALICE", "vpn", "", "", Primary.PASSWORD)
    )
    for answer in ("right", "word"):
        assert isinstance(step, Prompt)
        step = await world.engine.answer("client vpn", step.ticket, answer.encode())
    assert ended(step, Verdict.GRANTED).user == "alice"
    assert [event.result for event in world.store.events] == [Result.PASSED, Result.GRANTED]


@pytest.mark.parametrize("primary", [Primary.PASSWORD, Primary.ESTABLISHED])
async def test_a_pam_service_lets_nobody_in_by_another_name(world: World, primary: Primary) -> None:
    """MUST 6 (PAM-11): behind the first factor the person reads the own name, and nothing is counted."""
    world.directory.known["asmith"] = replace(ALICE, other_names=("asmith",))
    answers = ["right"] * (primary is Primary.PASSWORD)
    for typed in ("ALICE", "asmith") * limits.FROM_SOURCE[0]:
        outcome = ended(await say(world, await begin(world, typed, primary), *answers), Verdict.REFUSED)
        assert (outcome.message, outcome.user) == ('Sign in as "alice", please.', "")
    wrong = ended(await say(world, await begin(world, "asmith"), "wrong"), Verdict.REFUSED)
    assert wrong.message == words.REFUSED
    assert isinstance(await begin(world, "alice", primary), Prompt)
    reasons = {event.reason for event in world.store.events if event.result is Result.REFUSED}
    assert reasons == {"a PAM service asked by another name; the person's own is alice", "wrong password"}


async def test_a_password_is_asked_without_echo_and_without_a_look_at_the_directory(world: World) -> None:
    """The first prompt is the same for everybody, whether known, unknown, or during an outage."""
    world.directory.away = True
    known, unknown = await begin(world), await begin(world, "nobody")
    assert isinstance(known, Prompt)
    assert isinstance(unknown, Prompt)
    assert (known.kind, known.text, known.echo) == (unknown.kind, unknown.text, unknown.echo)
    assert (known.kind, known.echo) == (PromptKind.PASSWORD, False)


async def test_wrong_password_and_unknown_name_look_alike(world: World) -> None:
    """MUST 4: neither words nor time tell whether a name is known."""
    wrong = ended(await say(world, await begin(world), "wrong"), Verdict.REFUSED)
    first = world.clock.slept.pop()
    unknown = ended(await say(world, await begin(world, "nobody"), "wrong"), Verdict.REFUSED)
    assert (wrong.message, wrong.user) == (unknown.message, unknown.user)
    assert first >= 0.25
    assert world.clock.slept.pop() >= 0.25


@pytest.mark.parametrize("user", ["alice", "nobody"])
async def test_five_wrong_passwords_from_a_source_lock_known_and_unknown_names_alike(
    world: World, user: str
) -> None:
    """The sixth attempt in five minutes is not checked, whether the name has a person or not."""
    for _ in range(5):
        ended(await say(world, await begin(world, user), "wrong"), Verdict.REFUSED)
    asked = world.directory.asked
    outcome = ended(await say(world, await begin(world, user), "right"), Verdict.LOCKED)
    assert outcome.retry_after > 0
    assert world.directory.asked == asked


async def test_every_spelling_of_an_unknown_name_has_one_counter(world: World) -> None:
    """A guesser gains nothing by spelling a name in other ways."""
    for user in ("nobody", "NOBODY", " nobody", "nobody\u00a0", "\uff4eobody"):
        await say(world, await begin(world, user), "wrong")
    ended(await say(world, await begin(world, "nobody"), "wrong"), Verdict.LOCKED)


async def test_an_outage_of_the_directory_is_unavailable_and_counts_for_nobody(world: World) -> None:
    """An outage says so, with a reference, and moves no counter."""
    step = await begin(world)
    world.directory.away = True
    outcome = ended(await say(world, step, "right"), Verdict.UNAVAILABLE)
    assert outcome.reference in outcome.message
    assert "Nothing is wrong with your password" in outcome.message
    assert all(not state.failures for state in world.store.limits.values())
    assert world.store.events[-1].result is Result.UNAVAILABLE


async def test_an_outage_between_search_and_bind_is_refunded(world: World) -> None:
    """A directory that goes away while it checks a password leaves no failure behind."""
    world.directory.away_for_passwords = True
    ended(await say(world, await begin(world), "right"), Verdict.UNAVAILABLE)
    assert all(not state.failures for state in world.store.limits.values())


async def test_an_outage_of_the_store_grants_nothing(world: World) -> None:
    """OTP-08: what can not be written is not granted."""
    step = await say(world, await begin(world), "right")
    world.store.away = True
    ended(await say(world, step, "word"), Verdict.UNAVAILABLE)


async def test_a_code_grants_once_even_when_its_ticket_is_sent_twice(world: World) -> None:
    """SES-01: a grant is consumed once: the same ticket is refused, and counted."""
    step = await say(world, await begin(world), "right")
    ended(await say(world, step, "word"), Verdict.GRANTED)
    world.give("c1")
    with pytest.raises(TicketError):
        await say(world, step, "word")
    assert world.store.limits[limits.factor_scope(ALICE.id)].in_a_row == 1


async def test_a_password_is_answered_once(world: World) -> None:
    """SES-01: the ticket of the first prompt is spent too; a second answer to it is counted and refused."""
    step = await begin(world)
    await say(world, step, "wrong")
    with pytest.raises(TicketError):
        await say(world, step, "right")
    assert len(world.store.limits["source/192.0.2.1"].failures) == 2


async def test_a_wrong_code_is_asked_again_three_times_at_most(world: World) -> None:
    """The person is told, may try again, and after three wrong codes the login is over."""
    step = await say(world, await begin(world), "right")
    for _ in range(2):
        step = await say(world, step, "wrong")
        assert isinstance(step, Prompt)
        assert step.text.startswith("That code was not right. ")
    ended(await say(world, step, "wrong"), Verdict.REFUSED)
    assert world.store.limits[limits.factor_scope(ALICE.id)].in_a_row == 3


async def test_an_empty_code_counts(world: World) -> None:
    """PAM-04: typing nothing is a failure like any other."""
    await say(world, await begin(world), "right", "")
    assert world.store.limits[limits.factor_scope(ALICE.id)].in_a_row == 1


async def test_a_right_code_is_refused_while_locked(world: World) -> None:
    """THR-06: while the account is blocked, right and wrong codes are answered alike."""
    for _ in range(2):
        await say(world, await begin(world), "right", "wrong", "wrong", "wrong")
    right = ended(await say(world, await begin(world), "right", "word"), Verdict.LOCKED)
    wrong = ended(await say(world, await begin(world), "right", "wrong"), Verdict.LOCKED)
    assert right.message == wrong.message


async def test_a_right_password_forgives_no_wrong_code(world: World) -> None:
    """THR-03: passing the first factor between guesses resets nothing."""
    for _ in range(4):
        await say(world, await begin(world), "right", "wrong")
    assert world.store.limits[limits.factor_scope(ALICE.id)].in_a_row == 4


async def test_a_credential_removed_during_the_prompt_does_not_count(world: World) -> None:
    """SES-04: what is enrolled is read again in the decision."""
    step = await say(world, await begin(world), "right")
    world.store.held[ALICE.id].clear()
    ended(await say(world, step, "word"), Verdict.REFUSED)


async def test_policy_is_asked_again_at_the_answer(world: World) -> None:
    """POL-05: a reload in the middle of a login counts."""
    step = await say(world, await begin(world), "right")
    world.rules(Rule("no words", factors=frozenset({"sent"})))
    ended(await say(world, step, "word"), Verdict.REFUSED)


async def test_a_ticket_of_another_caller_is_refused(world: World) -> None:
    """SES-03: a ticket is bound to the caller that began the login."""
    step = await begin(world)
    assert isinstance(step, Prompt)
    with pytest.raises(TicketError):
        await world.engine.answer("admin uid=0", step.ticket, b"right")


async def test_a_ticket_dies_after_300_seconds(world: World) -> None:
    """SES-03: at 301 seconds the login must begin again."""
    step = await begin(world)
    world.clock.time += 301
    with pytest.raises(TicketError):
        await say(world, step, "right")


async def test_an_account_without_a_credential_is_told_after_the_password(world: World) -> None:
    """Whoever has no second factor is refused, in words that help."""
    world.store.held[ALICE.id].clear()
    outcome = ended(await say(world, await begin(world), "right"), Verdict.REFUSED)
    assert "second step" in outcome.message


async def test_an_established_first_factor_asks_for_the_code_at_once(world: World) -> None:
    """After publickey only the second factor is asked; unknown people are refused."""
    step = await begin(world, primary=Primary.ESTABLISHED)
    assert isinstance(step, Prompt)
    assert step.kind is PromptKind.CODE
    ended(await say(world, step, "word"), Verdict.GRANTED)
    ended(await begin(world, "nobody", Primary.ESTABLISHED), Verdict.REFUSED)


async def test_another_way_is_offered_where_there_is_one(world: World) -> None:
    """With two credentials "?" lists them, the one used last first, and a number chooses."""
    world.give("c2", label="tablet", used=world.clock.now() + 1)
    step = await say(world, await begin(world), "right")
    assert isinstance(step, Prompt)
    assert step.text == 'The word "tablet" (or ? for another way): '
    step = await say(world, step, "?")
    assert isinstance(step, Prompt)
    assert step.kind is PromptKind.CHOICE
    assert '1  Word word "tablet"' in step.text
    step = await say(world, step, "9", "2")
    assert isinstance(step, Prompt)
    assert step.text.startswith('The word "phone"')
    ended(await say(world, step, "word"), Verdict.GRANTED)


async def test_a_pending_proof_waits(world: World) -> None:
    """A factor that is not ready yet makes the caller wait, and counts nothing."""
    step = await say(world, await begin(world), "right", "later")
    assert isinstance(step, Wait)
    assert not world.store.limits[limits.factor_scope(ALICE.id)].failures
    ended(await say(world, step, "word"), Verdict.GRANTED)


async def test_a_plugin_that_raises_is_an_outage(world: World) -> None:
    """PLG-01: a broken factor denies without counting, and the engine lives."""
    ended(await say(world, await begin(world), "right", "boom"), Verdict.UNAVAILABLE)
    assert not world.store.limits[limits.factor_scope(ALICE.id)].failures


@pytest.mark.parametrize("password", [b"", b"a\0b", b"\xff\xfe", b"x" * 1025])
async def test_what_is_no_password_never_reaches_a_directory(world: World, password: bytes) -> None:
    """PPW-02: NUL, wrong UTF-8, nothing and too much are refused before the directory."""
    step = await begin(world)
    assert isinstance(step, Prompt)
    ended(await world.engine.answer(CALLER, step.ticket, password), Verdict.REFUSED)
    assert world.directory.asked == 0


async def test_a_password_of_64_characters_of_any_script_passes(world: World) -> None:
    """PPW-02: long passwords are neither refused nor cut."""
    world.directory.passwords[ALICE.stable_id] = "ü漢" * 64
    step = await say(world, await begin(world), "ü漢" * 64)
    assert isinstance(step, Prompt)
    assert step.kind is PromptKind.CODE


async def test_the_audit_names_nobody_that_no_directory_knows(world: World) -> None:
    """IDN-05: a password typed as a name is in no audit row."""
    await say(world, await begin(world, "hunter2-my-password"), "x")
    assert "hunter2" not in repr(world.store.events)
    assert "hunter2" not in repr(dict(world.store.limits))
