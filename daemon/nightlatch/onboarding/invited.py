"""Using an invite at a login.

MUST 1: an invite is spent in the transaction that compares it: it works once, whoever is quicker.
MUST 2: guesses are charged before the comparison, to all second factors of the account together.
MUST 3: one that has ended is refused like one that was never made.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.errors import Locked
from nightlatch.model import Changes, DecisionRequest, Result, Snapshot

if TYPE_CHECKING:
    from nightlatch.enrollment.invites import Invites
    from nightlatch.login.parts import Parts
    from nightlatch.login.turn import Turn
    from nightlatch.model import Secret


async def spend(parts: Parts, invites: Invites, turn: Turn, typed: Secret) -> bool:
    """Whether it was the account's open invite, which is then spent; raises Locked, Unavailable."""
    account = turn.account()
    scope = limits.factor_scope(account.id)
    tag = invites.tag(account, typed.reveal())
    event = turn.event("invite.use", Result.REFUSED, "")

    def body(snapshot: Snapshot) -> tuple[Changes, limits.Blocked | bool]:
        charged = limits.charge_factor(snapshot.limits[scope], snapshot.now)
        if isinstance(charged, limits.Blocked):
            locked = replace(event, result=Result.LOCKED, reason=charged.reason)
            return Changes(limits={scope: charged.state}, events=(locked,)), charged
        standing = snapshot.standing
        same = hmac.compare_digest(standing.invite.encode(), tag.encode())
        if not same or snapshot.now >= standing.invite_expires_at:
            reason = "the invite has ended" if same else "wrong invite"
            refused = replace(event, reason=reason)
            return Changes(limits={scope: charged.state}, events=(refused,)), False
        spent = replace(standing, invite="", invite_expires_at=0.0)
        passed = replace(event, result=Result.PASSED)
        forgiven = limits.succeed(charged.state, charged.charged_at)
        return Changes(limits={scope: forgiven}, standing=spent, events=(passed,)), True

    outcome = await parts.store.decide(DecisionRequest((scope,), account.id, account, standing=True), body)
    if isinstance(outcome, limits.Blocked):
        turn.recorded = True
        raise Locked(outcome.reason, outcome.retry_after)
    return outcome
