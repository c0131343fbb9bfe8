"""A proof outside a sign-in: the second step alone, of somebody who is known already.

MUST 1: policy's exceptions do not count here: there is a proof by one of `factors`, or nothing.
MUST 2: nothing is set up on the way, and no evidence of a device is taken (DEV-03).
MUST 3: what is on hold after a rescue proves nothing here, and is not asked for (REC-04).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.errors import Refused
from nightlatch.login.engine import LoginEngine
from nightlatch.login.hold import Level, is_full
from nightlatch.login.step import LoginRequest, Outcome, Primary, Verdict
from nightlatch.login.ticket import Tickets
from nightlatch.policy.policy import Policy

if TYPE_CHECKING:
    from nightlatch.keys import Sealer
    from nightlatch.login.onboarding import Onboarded
    from nightlatch.login.parts import Parts
    from nightlatch.login.step import Step
    from nightlatch.login.turn import Turn
    from nightlatch.model import Account
    from nightlatch.policy.model import Requirement

SERVICE = "account"


def level_of(parts: Parts, factor: str) -> Level:
    """What a proof by a factor is worth here; an empty name stands for no proof."""
    facade = parts.factors.get(factor)
    if facade is None or facade.plugin.silent:
        return Level.NONE
    return Level.FULL if is_full(facade.plugin) else Level.RESCUE


class NothingToSetUp:
    """Implements `nightlatch.login.onboarding.Onboarding`: there is nothing here."""

    async def possible(self, turn: Turn, requirement: Requirement) -> bool:  # noqa: ARG002, the contract's signature
        """No."""
        return False

    async def begin(self, turn: Turn, requirement: Requirement) -> Step:  # noqa: ARG002, the contract's signature
        """Refuse."""
        raise Refused("nothing is set up in a proof")

    async def offer(self, turn: Turn, requirement: Requirement) -> Step | None:  # noqa: ARG002, the contract's signature
        """Nothing."""
        return None

    async def take(self, turn: Turn, requirement: Requirement, answer: bytes) -> Step | Onboarded:  # noqa: ARG002, the contract's signature
        """Refuse."""
        raise Refused("nothing is set up in a proof")


class Proving:
    """Asks somebody who is known for a proof by one of some factors."""

    def __init__(self, parts: Parts, sealer: Sealer, factors: frozenset[str]) -> None:
        tickets, policy = Tickets(sealer, parts.randomness), Policy((), frozenset(factors))
        own = replace(parts, tickets=tickets, policy=policy, takes_held=False)
        self._engine = LoginEngine(own, NothingToSetUp())

    async def begin(self, caller: str, account: Account, source: str) -> Step:
        """The first question; raises Invalid."""
        request = LoginRequest(account.name, SERVICE, source, "", Primary.ESTABLISHED)
        return await self._engine.begin(caller, request)

    async def answer(self, caller: str, account: Account, ticket: bytes, answer: bytes) -> Step:
        """The next step; a grant is one for this account. Raises TicketError."""
        step = await self._engine.answer(caller, ticket, answer)
        if isinstance(step, Outcome) and step.verdict is Verdict.GRANTED:
            grant = step.grant
            if grant is None or grant.account.id != account.id or not step.factor:
                raise Refused("the proof is another account's")
        return step
