"""Grace: how often, and until when, a person may sign in without the second step that policy wants.

MUST 1: each use is counted in the transaction that grants it: parallel logins get no more than there are.
MUST 2: nothing gives grace back: no enrolment, no unlocking, no other name.
MUST 3: a second factor that is blocked is blocked here too (THR-06), and who has a factor by now gets none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.model import Changes, DecisionRequest, Result, Snapshot
from nightlatch.policy.grace import grace_left

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.login.parts import Parts
    from nightlatch.login.turn import Turn
    from nightlatch.model import Standing
    from nightlatch.policy.model import Requirement


async def use(
    parts: Parts, turn: Turn, requirement: Requirement, condition: Callable[[Snapshot], None]
) -> str:
    """Count one login; the reason that was recorded, empty where no grace was left any more.

    Raises what `condition` raises in the same transaction, Unavailable: then nobody gets in.
    """
    account = turn.account()
    event = turn.event("login.grace", Result.GRANTED, "")

    def body(snapshot: Snapshot) -> tuple[Changes, str]:
        condition(snapshot)
        standing = snapshot.standing
        if grace_left(requirement, standing, snapshot.now) is None:
            return Changes(), ""
        counted = replace(
            standing,
            grace_started_at=snapshot.now if standing.grace_started_at is None else standing.grace_started_at,
            grace_logins=standing.grace_logins + 1,
        )
        reason = f"{', '.join(requirement.rules)}: put off{_so_often(counted, requirement)}"
        return Changes(standing=counted, events=(replace(event, reason=reason),)), reason

    scope = limits.factor_scope(account.id)
    return await parts.store.decide(DecisionRequest((scope,), account.id, account, standing=True), body)


def _so_often(standing: Standing, requirement: Requirement) -> str:
    if not requirement.grace_logins:
        return f", {standing.grace_logins} times so far"
    return f" {standing.grace_logins} of {requirement.grace_logins} times"
