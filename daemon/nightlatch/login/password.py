"""The first factor of a login: a password, checked by the account's directory.

MUST 1: an attempt is charged in the store before the directory is asked: parallel guesses are counted too.
MUST 2: a right password and an outage are refunded; only what a directory refused stays counted.
MUST 3: a name that no directory knows is charged, refused and audited like one that has a person, under a
        keyed hash of the name, so that the store never holds what was typed (it may be a password).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.errors import Locked, Refused, Restricted, Unavailable
from nightlatch.login.facts import password_facts
from nightlatch.login.ticket import TicketError
from nightlatch.login.turn import ANSWERED
from nightlatch.login.unknown import unknown_id
from nightlatch.model import Changes, DecisionRequest, Result

if TYPE_CHECKING:
    from nightlatch.limits import Charges
    from nightlatch.login.parts import Parts
    from nightlatch.login.turn import Turn
    from nightlatch.model import Account, AuditEvent, Secret, Snapshot


class PasswordCheck:
    """Charges, asks the directory, settles."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def check(self, turn: Turn, account: Account | None, password: Secret) -> None:
        """Return when the password is the account's; raises Refused, Restricted, Locked, Unavailable."""
        key = account.id if account is not None else unknown_id(self._parts.name_key, turn.state.user)
        rules = limits.password_rules(key, turn.state.source or "-")
        charges = await self._charge(rules, turn)
        turn.facts = password_facts(key, turn.state.source or "-", charges)
        if charges.wait > 0:
            await self._parts.clock.sleep(charges.wait)
        if account is None:
            raise Refused("no directory knows the name")
        try:
            await self._parts.accounts.check_password(account, password)
        except (Restricted, Unavailable):  # no guess: the password was right, or nobody could tell
            await self._refund(tuple(rules), charges, None)
            turn.facts = ""
            raise
        turn.facts = ""
        await self._refund(tuple(rules), charges, turn.event("login.password", Result.PASSED, ""))

    async def _charge(self, rules: dict[str, limits.Rule], turn: Turn) -> Charges:
        def body(snapshot: Snapshot) -> tuple[Changes, Charges | limits.Blocked | None]:
            outcome = limits.charge_each(rules, snapshot.limits, snapshot.now)
            if isinstance(outcome, limits.Blocked):
                return Changes(limits={outcome.scope: outcome.state}), outcome
            changes = Changes(limits=outcome.states, spend=not snapshot.spent)
            return changes, None if snapshot.spent else outcome

        request = DecisionRequest(tuple(rules), spend_key=turn.spend_key)
        outcome = await self._parts.store.decide(request, body)
        if outcome is None:
            raise TicketError(ANSWERED)
        if isinstance(outcome, limits.Blocked):
            raise Locked(outcome.reason, outcome.retry_after)
        return outcome

    async def _refund(self, scopes: tuple[str, ...], charges: Charges, event: AuditEvent | None) -> None:
        def body(snapshot: Snapshot) -> tuple[Changes, None]:
            refunded = {scope: limits.refund(snapshot.limits[scope], charges.charged_at) for scope in scopes}
            return Changes(limits=refunded, events=() if event is None else (event,)), None

        await self._parts.store.decide(DecisionRequest(scopes), body)
