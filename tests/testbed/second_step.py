"""Logins whose first factor was shown, on fakes of what is outside."""

from __future__ import annotations

from nightlatch.login.step import LoginRequest, Outcome, Primary, Prompt, Step, Verdict
from testbed.core import ALICE, World

CALLER = "pam uid=0"


def without_credentials() -> World:
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
