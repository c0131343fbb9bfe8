"""What a login needs of the dialogue in which a person sets up a second step; declared here, built above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nightlatch.login.step import Step
    from nightlatch.login.turn import Turn
    from nightlatch.model import Credential
    from nightlatch.policy.model import Requirement


@dataclass(frozen=True, slots=True)
class Onboarded:
    """The dialogue is over, and the store has committed why the person gets in."""

    reason: str
    """For the log."""
    message: str = ""
    """Words for the person."""
    credential: Credential | None = None
    """What was set up and proven; None where the person put it off, or had shown another proof before."""
    recheck: bool = False
    """Whether that was committed in an earlier call, so that it has to be looked at again (SES-04)."""


class Onboarding(Protocol):
    """Carries the dialogue. Its state travels in the login's ticket, as `LoginState.onboarding`."""

    async def possible(self, turn: Turn, requirement: Requirement) -> bool:
        """Whether there is anything that `begin` could ask; raises Unavailable."""

    async def begin(self, turn: Turn, requirement: Requirement) -> Step:
        """The first question to somebody who has nothing that counts; raises Refused, Unavailable."""

    async def offer(self, turn: Turn, requirement: Requirement) -> Step | None:
        """The question to somebody who is in by a last resort; None where there is none. Never raises."""

    async def take(self, turn: Turn, requirement: Requirement, answer: bytes) -> Step | Onboarded:
        """What follows an answer; raises Refused, Locked, Unavailable."""
