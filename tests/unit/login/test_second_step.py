"""The second step with messages and a last resort, on fakes of what is outside."""

from __future__ import annotations

import asyncio

import pytest

from nightlatch import limits
from nightlatch.login.step import LoginRequest, Outcome, Primary, Prompt, Verdict
from nightlatch.login.ticket import TicketError
from testbed.core import ALICE, World
from testbed.second_step import CALLER, begin, codes, granted, say, without_credentials


@pytest.fixture
def world() -> World:
    """An engine on fakes, and alice without a credential."""
    return without_credentials()


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
