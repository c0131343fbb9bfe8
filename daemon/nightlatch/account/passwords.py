"""Another password for a person's account, and what follows from it.

MUST 1: guesses at the old password are charged like those of a login, before the directory is asked (PPW-01).
MUST 2: after a change no device is trusted (DEV-04), no other session is open, no code for a reset is good.
MUST 3: the person is told at every address, before anything that can fail.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.account.session import only, standing_of
from nightlatch.enrollment.asking import change
from nightlatch.errors import Conflict, Invalid, Locked, Refused, Restricted, Unavailable
from nightlatch.login.answers import read_password
from nightlatch.login.hold import Level
from nightlatch.model import Changes, DecisionRequest, Result

if TYPE_CHECKING:
    from nightlatch.account.session import Session, Sessions
    from nightlatch.limits import Charges, Rule
    from nightlatch.login.parts import Parts
    from nightlatch.model import Account, AuditEvent, Secret, Snapshot

WRONG = "The old password was not right. Nothing was changed."
SAME = "That is the password you have. Choose another one."
NOT_CLEARED = (
    "the password is changed, but devices and other sessions could not be ended: end them in your account"
)
NOTICE = "notice_password_changed"


class Passwords:
    """Changes passwords in their directories."""

    def __init__(self, parts: Parts, sessions: Sessions) -> None:
        self._parts = parts
        self._sessions = sessions

    async def change(self, caller: str, bearer: bytes, old: bytes, new: bytes) -> None:
        """Change it as the person; raises ProofNeeded, Refused, PasswordNotTaken, Locked, Unavailable."""
        session = await self._sessions.take(caller, bearer, Level.FULL)
        before, after = read_password(old), new_password(new)
        if before == after:
            raise Conflict(SAME)
        account = session.account
        rules = limits.password_rules(account.id, session.source or "-")
        charges = await self._charge(rules)
        if charges.wait > 0:
            await self._parts.clock.sleep(charges.wait)
        try:
            await self._parts.accounts.change_password(account, before, after)
        except Restricted as error:
            await self._refund(rules, charges)
            raise Conflict(error.words) from None
        except Refused as error:
            event = change("password.change", account, caller)
            await self._parts.store.record(replace(event, result=Result.REFUSED, reason=error.reason))
            raise Refused(WRONG) from None
        except (Conflict, Unavailable):
            await self._refund(rules, charges)
            raise
        await self.changed(account, change("password.change", account, caller), session)
        with contextlib.suppress(Unavailable):  # the change stands: a charge that stays wears off by itself
            await self._refund(rules, charges)

    async def changed(self, account: Account, event: AuditEvent, session: Session | None) -> None:
        """What follows from a password that was changed; raises Unavailable where it could not be done."""

        def body(snapshot: Snapshot) -> tuple[Changes, None]:
            silent = {name for name, one in self._parts.factors.items() if one.plugin.silent}
            devices = [one for one in snapshot.credentials if one.factor in silent]
            ended = (
                replace(event, event="device.revoke", factor=one.factor, credential_id=one.id)
                for one in devices
            )
            standing = replace(only(snapshot.standing, session), reset="", reset_expires_at=0.0)
            removed = tuple(one.id for one in devices)
            return Changes(removed=removed, standing=standing, events=(event, *ended)), None

        self._parts.notices.tell(NOTICE, event)
        try:
            await self._parts.store.decide(standing_of(account), body)
        except Unavailable as error:
            self._parts.log.error("password.not_cleared", account=account.id, reason=str(error))
            raise Unavailable("store", NOT_CLEARED) from error

    async def _charge(self, rules: dict[str, Rule]) -> Charges:
        def body(snapshot: Snapshot) -> tuple[Changes, Charges | limits.Blocked]:
            outcome = limits.charge_each(rules, snapshot.limits, snapshot.now)
            if isinstance(outcome, limits.Blocked):
                return Changes(limits={outcome.scope: outcome.state}), outcome
            return Changes(limits=outcome.states), outcome

        outcome = await self._parts.store.decide(DecisionRequest(tuple(rules)), body)
        if isinstance(outcome, limits.Blocked):
            raise Locked(outcome.reason, outcome.retry_after)
        return outcome

    async def _refund(self, rules: dict[str, Rule], charges: Charges) -> None:
        def body(snapshot: Snapshot) -> tuple[Changes, None]:
            refunded = {scope: limits.refund(snapshot.limits[scope], charges.charged_at) for scope in rules}
            return Changes(limits=refunded), None

        await self._parts.store.decide(DecisionRequest(tuple(rules)), body)


def new_password(typed: bytes) -> Secret:
    """A password to be; raises Invalid, with words for the person, for what no directory should see."""
    try:
        return read_password(typed)
    except Refused as error:
        raise Invalid(f"This can be no password: {error.reason}.") from None
