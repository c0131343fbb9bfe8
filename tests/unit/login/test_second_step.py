"""The second step with messages, evidence and a last resort, on fakes of what is outside."""

from __future__ import annotations

import asyncio

import pytest

from nightlatch import limits
from nightlatch.login.offer import MOST_DEVICES
from nightlatch.login.step import LoginRequest, Outcome, Primary, Prompt, Step, Verdict
from nightlatch.login.ticket import TicketError
from nightlatch.model import LimitState, Result
from nightlatch.policy.model import Rule
from testbed.core import ALICE, World

CALLER = "pam uid=0"
KEY = "ssh:ssh-ed25519 AAAA"
TRUSTING = Rule("trusting", trusted_device_days=30)


@pytest.fixture
def world() -> World:
    """An engine on fakes, and alice without a credential."""
    world = World()
    world.store.held[ALICE.id].clear()
    return world


async def begin(world: World, *evidence: str, keeps_token: bool = False) -> Step:
    """The step after the first factor."""
    request = LoginRequest(
        "alice", "sshd", "192.0.2.1", "ssh", Primary.ESTABLISHED, evidence, keeps_token=keeps_token
    )
    return await world.engine.begin(CALLER, request)


async def say(world: World, step: Step, *answers: str) -> Step:
    """Answer one prompt after another."""
    for answer in answers:
        assert isinstance(step, Prompt), step
        step = await world.engine.answer(CALLER, step.ticket, answer.encode())
    return step


def granted(step: Step) -> Outcome:
    """The grant that a step is."""
    assert isinstance(step, Outcome), step
    assert step.verdict is Verdict.GRANTED
    return step


def codes(world: World) -> list[str]:
    """The codes that were sent."""
    return [message.values["code"] for _, message in world.post.sent if "code" in message.values]


async def test_nothing_is_sent_before_the_password_was_right(world: World) -> None:
    """OOB-04: a wrong password sends no message."""
    world.give("c1", "sent", "phone")
    request = LoginRequest("alice", "sshd", "192.0.2.1", "ssh", Primary.PASSWORD)
    step = await world.engine.begin(CALLER, request)
    await say(world, step, "wrong")
    assert world.post.sent == []
    await say(world, await world.engine.begin(CALLER, request), "right")
    assert codes(world) == ["word1"]


async def test_a_sent_code_grants_and_its_words_reach_the_person(world: World) -> None:
    """The code of the message is right, and what the factor says is shown."""
    world.give("c1", "sent", "phone")
    assert granted(await say(world, await begin(world), "word1")).message == "Well done."


async def test_a_wrong_code_sends_nothing_anew(world: World) -> None:
    """After a wrong code the same message still counts."""
    world.give("c1", "sent", "phone")
    step = await say(world, await begin(world), "wrong")
    assert codes(world) == ["word1"]
    granted(await say(world, step, "word1"))


async def test_a_resend_kills_the_older_code_and_counts_no_failure(world: World) -> None:
    """OOB-01: after "r" the older ticket and its code are dead; nothing was counted."""
    world.give("c1", "sent", "phone")
    first = await begin(world)
    second = await say(world, first, "r")
    assert codes(world) == ["word1", "word2"]
    assert not world.store.limits[limits.factor_scope(ALICE.id)].failures
    with pytest.raises(TicketError):
        await say(world, first, "word1")
    granted(await say(world, second, "word2"))


async def test_a_code_of_one_login_is_worth_nothing_in_another(world: World) -> None:
    """OOB-01: a code is bound to its login."""
    world.give("c1", "sent", "phone")
    one = await say(world, await begin(world), "r")
    other = await begin(world)
    refused = await say(world, other, "word2")
    assert isinstance(refused, Prompt)
    granted(await say(world, one, "word2"))


async def test_a_message_that_can_not_leave_offers_another_way(world: World) -> None:
    """OOB-06: the login goes on with another factor; the second step is not skipped."""
    world.give("c1", "sent", "phone", used=world.clock.now() + 1)
    world.give("c2", "word", "app")
    world.post.away = True
    step = await begin(world)
    assert isinstance(step, Prompt)
    assert step.text.startswith("The message could not be sent just now.")
    assert step.text.endswith("Number [2]: ")
    step = await say(world, step, "")
    granted(await say(world, step, "word"))


async def test_a_message_that_can_not_leave_with_no_other_way_ends_the_login(world: World) -> None:
    """OOB-06: no message, no other factor: unavailable, never granted, and nobody's fault."""
    world.give("c1", "sent", "phone")
    world.post.away = True
    step = await begin(world)
    assert isinstance(step, Outcome)
    assert step.verdict is Verdict.UNAVAILABLE
    assert not world.store.limits[limits.factor_scope(ALICE.id)].failures


async def test_three_messages_in_ten_minutes_are_the_most(world: World) -> None:
    """OOB-04: the fourth message is not sent, and the refusal is in the audit."""
    world.give("c1", "sent", "phone")
    for _ in range(3):
        await begin(world)
    step = await begin(world)
    assert isinstance(step, Outcome)
    assert len(codes(world)) == 3
    assert any("not sent" in event.reason for event in world.store.events)
    world.clock.time += 601
    assert isinstance(await begin(world), Prompt)


async def test_no_message_is_sent_to_who_is_blocked(world: World) -> None:
    """THR-06: while the second factor is blocked, codes would be of no use."""
    world.give("c1", "sent", "phone")
    for _ in range(2):
        await say(world, await begin(world), "x", "x", "x")
    sent = len(codes(world))
    step = await begin(world)
    assert isinstance(step, Outcome)
    assert step.verdict is Verdict.LOCKED
    assert len(codes(world)) == sent


async def test_the_last_resort_stands_last_asks_first_and_is_told(world: World) -> None:
    """Nothing is sent before a yes; a grant by it is told at every other address."""
    world.give("c0", "help", "a•••@example.com", used=world.clock.now() + 9)
    world.give("c1", "sent", "phone")
    step = await say(world, await begin(world), "?")
    assert isinstance(step, Prompt)
    assert "1  Message to phone" in step.text
    step = await say(world, step, "2")
    assert isinstance(step, Prompt)
    assert step.text.endswith("Send it? [y/N] ")
    assert codes(world) == ["word1"]
    step = await say(world, step, "y")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "notice_emergency_code" in [message.template for _, message in world.post.sent]
    outcome = granted(await say(world, step, "word1"))
    assert "Set up a new second step" in outcome.message


async def test_without_policy_no_device_is_trusted(world: World) -> None:
    """The default is no trust: nothing is offered, and evidence is worth nothing."""
    world.give("c1")
    granted(await say(world, await begin(world, KEY, keeps_token=True), "word"))


async def test_a_device_is_offered_trusted_and_used(world: World) -> None:
    """After a grant the key is offered; with a yes it spares the next prompt, until its end."""
    world.rules(TRUSTING)
    world.give("c1")
    step = await say(world, await begin(world, KEY), "word")
    assert isinstance(step, Prompt)
    assert step.text == "Trust it for 30 days? [y/N] "
    granted(await say(world, step, "y"))
    granted(await begin(world, KEY))
    assert isinstance(await begin(world, "ssh:ssh-ed25519 BBBB"), Prompt)
    world.clock.time += 30 * 86_400
    assert isinstance(await begin(world, KEY), Prompt)


async def test_a_person_s_devices_are_bounded(world: World) -> None:
    """API-03: each grows what every later login looks through; one more ends the one used longest ago."""
    world.rules(TRUSTING)
    for number in range(MOST_DEVICES + 2):
        world.give("c1")
        key = f"ssh:ssh-ed25519 {number}"
        granted(await say(world, await begin(world, key), "word", "y"))
        world.clock.time += 60
        granted(await begin(world, "ssh:ssh-ed25519 0"))
    held = world.store.held[ALICE.id].values()
    assert len([one for one in held if one.factor == "device"]) == MOST_DEVICES
    assert isinstance(await begin(world, "ssh:ssh-ed25519 1"), Prompt)
    granted(await begin(world, f"ssh:ssh-ed25519 {MOST_DEVICES + 1}"))
    revoked = [event.reason for event in world.store.events if event.event == "device.revoke"]
    assert revoked == ["another device took its place"] * 2


async def test_a_no_grants_all_the_same(world: World) -> None:
    """The offer decides on the device, never on the login."""
    world.rules(TRUSTING)
    world.give("c1")
    granted(await say(world, await begin(world, KEY), "word", "n"))
    assert isinstance(await begin(world, KEY), Prompt)


async def test_an_offer_is_answered_once(world: World) -> None:
    """SES-01: the ticket of a granted login grants no second time."""
    world.rules(TRUSTING)
    world.give("c1")
    step = await say(world, await begin(world, KEY), "word")
    granted(await say(world, step, "n"))
    with pytest.raises(TicketError):
        await say(world, step, "n")


async def test_what_is_locked_or_removed_during_the_offer_does_not_get_in(world: World) -> None:
    """SES-04: the last question is no way round a lock, nor round the end of a credential."""
    world.rules(TRUSTING)
    world.give("c1")
    offer = await say(world, await begin(world, KEY), "word")
    world.store.held[ALICE.id].clear()
    refused = await say(world, offer, "n")
    assert isinstance(refused, Outcome)
    assert refused.verdict is Verdict.REFUSED
    world.give("c1")
    offer = await say(world, await begin(world, KEY), "word")
    world.store.limits[limits.factor_scope(ALICE.id)] = LimitState(disabled=True)
    locked = await say(world, offer, "n")
    assert isinstance(locked, Outcome)
    assert locked.verdict is Verdict.LOCKED


async def test_a_caller_that_keeps_secrets_gets_one_and_then_the_next(world: World) -> None:
    """A gRPC client's device secret comes with the grant, and is replaced when it is used."""
    world.rules(TRUSTING)
    world.give("c1")
    step = await say(world, await begin(world, keeps_token=True), "word")
    assert granted(await say(world, step, "y")).device_token == "new"
    assert granted(await begin(world, "token:new")).device_token == "next"


async def test_a_device_of_one_account_is_worth_nothing_for_another(world: World) -> None:
    """DEV-01: evidence that belongs to no device of the account has no effect, and is audited."""
    world.rules(TRUSTING)
    world.give("c1")
    assert isinstance(await begin(world, "token:of-bob"), Prompt)
    event = world.store.events[-1]
    assert (event.event, event.result) == ("login.evidence", Result.REFUSED)
    assert not world.store.limits[limits.factor_scope(ALICE.id)].failures


async def test_theft_ends_the_trust(world: World) -> None:
    """DEV-02: an old secret takes the device away, and the person is asked."""
    world.rules(TRUSTING)
    world.give("c1")
    step = await say(world, await begin(world, keeps_token=True), "word")
    granted(await say(world, step, "y"))
    assert isinstance(await begin(world, "token:stolen"), Prompt)
    assert isinstance(await begin(world, "token:new"), Prompt)


async def test_a_credential_that_its_factor_calls_stolen_is_gone_and_told(world: World) -> None:
    """What only a thief would show takes the credential away; the person hears of it at what is left."""
    world.give("c1")
    world.give("c2", "sent", used=1.0)
    step = await say(world, await begin(world), "stolen")
    await world.parts.notices.close()
    assert set(world.store.held[ALICE.id]) == {"c2"}
    assert [message.template for _, message in world.post.sent][-1:] == ["notice_credential_removed"]
    assert isinstance(step, Outcome)
    assert step.verdict is Verdict.REFUSED


async def test_a_trusted_device_spares_the_code_behind_a_password(world: World) -> None:
    """The password's ticket is spent by the password; the evidence counts all the same."""
    world.rules(TRUSTING)
    world.give("c1")
    granted(await say(world, await say(world, await begin(world, KEY), "word"), "y"))
    request = LoginRequest("alice", "sshd", "192.0.2.1", "ssh", Primary.PASSWORD, (KEY,))
    granted(await say(world, await world.engine.begin(CALLER, request), "right"))


async def test_a_trusted_device_needs_the_password(world: World) -> None:
    """DEV-03: evidence is looked at behind the first factor only."""
    world.rules(TRUSTING)
    world.give("c1")
    granted(await say(world, await say(world, await begin(world, KEY), "word"), "y"))
    request = LoginRequest("alice", "sshd", "192.0.2.1", "ssh", Primary.PASSWORD, (KEY,))
    step = await world.engine.begin(CALLER, request)
    refused = await say(world, step, "wrong")
    assert isinstance(refused, Outcome)
    assert refused.verdict is Verdict.REFUSED


async def test_a_blocked_account_is_not_opened_by_a_device(world: World) -> None:
    """DEV-04, THR-06: while the second factor is blocked, a trusted device helps nobody."""
    world.rules(TRUSTING)
    world.give("c1")
    granted(await say(world, await say(world, await begin(world, KEY), "word"), "y"))
    world.give("c1")
    for _ in range(2):
        await say(world, await begin(world), "x", "x", "x")
    assert isinstance(await begin(world, KEY), Prompt)
