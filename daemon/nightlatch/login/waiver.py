"""Lets a person in without a second factor, where policy says so, and says so in the audit.

MUST 1: nobody is let in before the audit row is committed: an exemption that can not be recorded is none.
MUST 2: a second factor that is blocked is blocked here too (THR-06): no other service is a way round it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.errors import Locked
from nightlatch.model import Changes, DecisionRequest, Result, Snapshot
from nightlatch.policy.model import SecondFactor

if TYPE_CHECKING:
    from nightlatch.login.parts import Parts
    from nightlatch.login.turn import Turn
    from nightlatch.policy.model import Observed, Requirement


class Waiver:
    """Exemptions and observation."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def use(self, turn: Turn, requirement: Requirement) -> str:
        """Record that policy waives the second factor of this login; the reason that was recorded.

        Raises Locked, Unavailable: then nobody gets in.
        """
        account = turn.account()
        scope = limits.factor_scope(account.id)
        rules = ", ".join(requirement.rules)
        exempt = requirement.second_factor is SecondFactor.SKIP
        name = "login.exempt" if exempt else "login.observed"
        event = turn.event(name, Result.GRANTED, f"{rules}: {requirement.exemption}")

        def body(snapshot: Snapshot) -> tuple[Changes, str]:
            charged = limits.charge_factor(snapshot.limits[scope], snapshot.now)
            if isinstance(charged, limits.Blocked):
                raise Locked(charged.reason, charged.retry_after)
            factors = {one.factor for one in snapshot.credentials}
            reason = event.reason if exempt else f"{rules}: {would_have_been(requirement, factors)}"
            return Changes(events=(replace(event, reason=reason),)), reason

        return await self._parts.store.decide(DecisionRequest((scope,), account.id, account), body)

    async def observe(self, turn: Turn, observed: Observed, factor: str) -> None:
        """Record that a login was granted which rules under observation would have refused."""
        if factor in observed.factors:
            return
        reason = f"{', '.join(observed.rules)}: would have been refused: {factor} does not count"
        await self._parts.store.record(turn.event("login.observed", Result.GRANTED, reason))


def would_have_been(requirement: Requirement, factors: set[str]) -> str:
    """What would have become of a login under observation, by the factors that the person has."""
    counting = sorted(factors & requirement.factors)
    if counting:
        return f"would have been asked for {' or '.join(counting)}"
    return "would have been refused: no credential that policy lets count"
