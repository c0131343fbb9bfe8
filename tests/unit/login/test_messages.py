"""Messages of a login: what a person reads above a limit, and in whose language they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
import structlog

from nightlatch import limits
from nightlatch.channel import Message, NotSent
from nightlatch.factor import Reach
from nightlatch.login.step import LoginRequest, Outcome, Primary, Prompt, Step, Verdict
from nightlatch.model import AuditEvent, Contact, Result
from nightlatch.notices import Notices
from nightlatch.plugins.channel_facade import ChannelFacade
from nightlatch.policy.model import Rule
from nightlatch.sending import Budget, Sender, SendingLimits
from testbed.core import ALICE, World

CALLER = "pam uid=0"
KEY = "ssh:ssh-ed25519 AAAA"
MINUTE = 60
ADDRESS = "+1555"
"""Where alice's codes go."""


@pytest.fixture
def world() -> World:
    """An engine on fakes; alice gets her codes by message."""
    world = World()
    world.store.held[ALICE.id].clear()
    world.give("c1", "sent", "phone")
    return world


def sending(world: World, ceilings: SendingLimits, language: str = "en") -> None:
    """Give the installation other limits, and another language."""
    parts, log = world.parts, structlog.get_logger()
    kind = next(iter(parts.sender._channels.values()))
    assert isinstance(kind, ChannelFacade)
    sender = Sender(
        {"post": kind}, world.store, world.clock, b"k" * 32, log, ceilings=ceilings, language=language
    )
    notices = Notices(sender, parts.factors, world.store, world.clock, log)
    world.parts = replace(parts, sender=sender, notices=notices)


async def begin(world: World, *evidence: str) -> Step:
    """The step after the first factor."""
    request = LoginRequest("alice", "sshd", "192.0.2.1", "ssh", Primary.ESTABLISHED, evidence)
    return await world.engine.begin(CALLER, request)


async def say(world: World, step: Step, *answers: str) -> Step:
    """Answer one prompt after another."""
    for answer in answers:
        assert isinstance(step, Prompt), step
        step = await world.engine.answer(CALLER, step.ticket, answer.encode())
    return step


async def test_who_has_no_other_way_reads_when_to_try_again(world: World) -> None:
    """OOB-04: above the person's own limit it is no outage: locked, for how long, and so in the audit."""
    for _ in range(3):
        await begin(world)
        world.clock.time += MINUTE
    step = await begin(world)
    assert isinstance(step, Outcome)
    assert step.verdict is Verdict.LOCKED
    assert step.message == "Too many messages were sent. Try again in 7 minutes."
    assert 6 * MINUTE < step.retry_after <= 7 * MINUTE
    ended = [event for event in world.store.events if event.event == "login.factor"]
    assert [(event.result, event.reason) for event in ended] == [
        (Result.LOCKED, "message not sent: too many messages: 3 messages in 10 minutes for this account")
    ]
    assert not world.store.limits[limits.factor_scope(ALICE.id)].failures
    world.clock.time += step.retry_after + 1
    assert isinstance(await begin(world), Prompt)


async def test_who_has_another_way_is_offered_it_with_the_reason(world: World) -> None:
    """Above the limit the login goes on by another factor, and says why it is asked for that."""
    world.give("c1", "sent", "phone", used=world.clock.now() + 1)
    world.give("c2", "word", "app")
    for _ in range(3):
        await begin(world)
    step = await begin(world)
    assert isinstance(step, Prompt)
    assert step.text.startswith("Too many messages were sent; another one can be sent in 10 minutes.\n")
    step = await say(world, step, "", "word")
    assert isinstance(step, Outcome)
    assert step.verdict is Verdict.GRANTED


async def test_a_limit_that_others_have_used_up_is_an_outage(world: World) -> None:
    """OOB-04: the installation's limit is not the person's doing: unavailable, never refused or locked."""
    sending(world, SendingLimits(in_all=1))
    await begin(world)
    step = await begin(world)
    assert isinstance(step, Outcome)
    assert step.verdict is Verdict.UNAVAILABLE
    assert not world.store.limits[limits.factor_scope(ALICE.id)].failures


async def test_resets_use_up_nobodys_messages_for_signing_in(world: World) -> None:
    """OOB-04: anybody may ask for resets: they have limits of their own, for an address and for everybody."""
    sending(world, SendingLimits(in_all=3, prefixes={"+1": 3}))
    for number in range(3):
        await reset_mail(world, f"corp:{number}", f"{ADDRESS}{number}")
    with pytest.raises(NotSent, match="too many messages"):
        await reset_mail(world, "corp:3", f"{ADDRESS}3")
    assert isinstance(await begin(world), Prompt)
    sending(world, SendingLimits())
    for number in range(4, 9):
        await reset_mail(world, f"corp:{number}", ADDRESS)
    with pytest.raises(NotSent, match="too many messages"):
        await reset_mail(world, "corp:9", ADDRESS)
    assert isinstance(await begin(world), Prompt)


async def reset_mail(world: World, account: str, address: str) -> None:
    """Send somebody the code for a reset."""
    event = AuditEvent("message.send", Result.PASSED, "", "", account)
    message = Message("reset_code", {"code": "1", "minutes": "30"})
    await world.parts.sender.send(event, Reach(("post",), address), message, 5.0, Budget.RESETS)


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ("zh-CN", "zh-CN"),
        ("zh_TW", "zh_TW"),
        ("de-CH, en;q=0.8", "de-CH"),
        ("", "fr"),
        ("../../etc/passwd", "fr"),
        ("zh\r\nBcc: x@example.com", "zh"),
        ("*", "fr"),
    ],
)
async def test_a_message_has_the_language_of_the_person(world: World, told: str, sent: str) -> None:
    """OOB-05: what the directory says, if it is a language, in the whole login; else the installation's."""
    world.directory.known["alice"] = replace(ALICE, contact=Contact(language=told))
    sending(world, SendingLimits(), language="fr")
    await say(world, await begin(world), "r", "word2")
    assert [message.language for _, message in world.post.sent] == [sent, sent]


async def test_a_notice_says_when_for_how_long_and_in_whose_language(world: World) -> None:
    """A trusted device is told of with the time and its days, in the person's language."""
    world.directory.known["alice"] = replace(ALICE, contact=Contact(language="zh-CN"))
    world.rules(Rule("trusting", trusted_device_days=30))
    world.give("c2", "word", "app", used=world.clock.now() + 1)
    step = await say(world, await begin(world, KEY), "word", "y")
    assert isinstance(step, Outcome)
    await world.parts.notices.close()
    ((_, notice),) = world.post.sent
    assert (notice.template, notice.language) == ("notice_device_added", "zh-CN")
    assert notice.values["days"] == "30"
    assert notice.values["time"] == "2023-11-14 22:13 UTC"
