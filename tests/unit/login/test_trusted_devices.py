"""The second step with devices that are trusted, on fakes of what is outside."""

from __future__ import annotations

import pytest

from nightlatch import limits
from nightlatch.login.offer import MOST_DEVICES
from nightlatch.login.step import LoginRequest, Outcome, Primary, Prompt, Verdict
from nightlatch.login.ticket import TicketError
from nightlatch.model import LimitState, Result
from nightlatch.policy.model import Rule
from testbed.core import ALICE, World
from testbed.second_step import CALLER, begin, granted, say, without_credentials

KEY = "ssh:ssh-ed25519 AAAA"
TRUSTING = Rule("trusting", trusted_device_days=30)


@pytest.fixture
def world() -> World:
    """An engine on fakes, and alice without a credential."""
    return without_credentials()


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
