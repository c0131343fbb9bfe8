"""Sent codes in whole logins: the real factors in the engine, on fakes of what is outside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nightlatch.factor import EnrollmentRequest, Subject
from nightlatch.login.step import LoginRequest, Outcome, Primary, Prompt, Step, Verdict
from nightlatch.login.ticket import TicketError
from nightlatch.model import Credential
from nightlatch.plugins.facade import CallContext, FactorFacade
from nightlatch.policy.policy import Policy
from nightlatch.testing import Repeatable
from nightlatch_codes import emergency, sms
from nightlatch_codes.settings import EmergencySettings, SmsSettings
from testbed.core import ALICE, World

CALLER = "pam uid=0"
REQUEST = LoginRequest("alice", "sshd", "192.0.2.1", "ssh", Primary.ESTABLISHED)
SENT = "Code sent to •••• 42, valid 5 minutes (r to send again)"


class Door:
    """A login service for alice, who has a phone and a security email."""

    def __init__(self) -> None:
        self.world = World()
        self.world.store.held[ALICE.id].clear()
        settings = {
            "sms": SmsSettings(channels=("post",), countries=("US",)),
            "emergency": EmergencySettings(channels=("post",)),
        }
        plugins = (*sms.nightlatch_factors(), *emergency.nightlatch_factors())
        steady = self.world.clock.steady
        self.facades = {
            plugin.name: FactorFacade(plugin, plugin.build(settings[plugin.name]), steady, ("post",))
            for plugin in plugins
        }
        self.world.parts = replace(
            self.world.parts,
            factors=self.facades,
            policy=Policy((), frozenset(self.facades)),
            randomness=Repeatable("logins"),
        )

    def give(self, factor: str, address: str) -> None:
        """Enrol an address, as if it had been proven."""
        now = self.world.clock.now()
        context = CallContext(now, now + 1, self.world.parts.randomness)
        request = EnrollmentRequest("", address)
        made = self.facades[factor].enroll(Subject("alice", "corp"), request, context)
        credential = Credential(ALICE.id, factor, factor, made.label, made.state, now, None)
        self.world.store.held[ALICE.id][factor] = credential

    async def begin(self) -> Step:
        """The step after the password."""
        return await self.world.engine.begin(CALLER, REQUEST)

    async def say(self, step: Step, answer: str) -> Step:
        """Answer a prompt."""
        assert isinstance(step, Prompt), step
        return await self.world.engine.answer(CALLER, step.ticket, answer.encode())

    @property
    def code(self) -> str:
        """The code of the last message."""
        codes = [message.values["code"] for _, message in self.world.post.sent if "code" in message.values]
        return codes[-1]


@pytest.fixture
def door() -> Door:
    """Nobody has logged in yet."""
    return Door()


def text(step: Step) -> str:
    """What a prompt says."""
    assert isinstance(step, Prompt), step
    return step.text


def is_grant(step: Step) -> bool:
    """Whether a step lets alice in."""
    return isinstance(step, Outcome) and step.verdict is Verdict.GRANTED


async def test_a_code_of_another_login_is_refused(door: Door) -> None:
    """OOB-01: two logins of one person, each with a code of its own: neither takes the other's."""
    door.give("sms", "+14155550142")
    first = await door.begin()
    first_code = door.code
    second = await door.begin()
    assert text(second) == f"{SENT}: "
    assert not is_grant(await door.say(second, first_code))
    assert is_grant(await door.say(first, first_code))


async def test_a_wish_kills_the_older_code_and_ticket(door: Door) -> None:
    """OOB-01: after "r" the older ticket is spent, and the older code is wrong in the new one."""
    door.give("sms", "+14155550142")
    first = await door.begin()
    first_code = door.code
    door.world.clock.time += 30
    again = await door.say(first, "r")
    assert text(again).startswith("New code sent to •••• 42")
    with pytest.raises(TicketError):
        await door.say(first, first_code)
    wrong = await door.say(again, first_code)
    assert text(wrong).startswith("That code was not right. New code sent to •••• 42")
    assert is_grant(await door.say(wrong, door.code))


async def test_a_wish_in_haste_waits(door: Door) -> None:
    """Within 30 s "r" sends nothing, tells the wait, and leaves the code right."""
    door.give("sms", "+14155550142")
    step = await door.begin()
    door.world.clock.time += 10
    step = await door.say(step, "r")
    assert text(step) == "Code sent to •••• 42 already; another can be sent in 20 seconds: "
    assert len(door.world.post.sent) == 1
    assert is_grant(await door.say(step, door.code))


async def test_an_emergency_code_outlasts_its_login(door: Door) -> None:
    """Who hangs up to read mail types the code at the next login, without another mail, and once only."""
    door.give("emergency", "alice@home.example")
    asked = await door.begin()
    assert "security email a•••@home.example" in text(asked)
    assert door.world.post.sent == []
    await door.say(asked, "y")
    code = door.code
    door.world.clock.time += 600
    back = await door.say(await door.begin(), "y")
    assert "it is valid for 20 more minutes" in text(back)
    assert len(door.world.post.sent) == 1
    assert is_grant(await door.say(back, code.lower()))
    third = await door.say(await door.begin(), "y")
    assert not is_grant(await door.say(third, code))


async def test_a_post_that_is_away_offers_the_other_way(door: Door) -> None:
    """OOB-06: a text message that can not be sent leads to the list, in the same login."""
    door.give("sms", "+14155550142")
    door.give("emergency", "alice@home.example")
    door.world.post.away = True
    step = await door.begin()
    assert text(step).startswith("The message could not be sent just now.")
    assert "1  Text message to •••• 42" in text(step)
    assert "2  I can't access any of these" in text(step)
