"""Keeps people out, lets them in again, and lets them begin anew.

MUST 1: who is disabled is so for every proof, grace, waiver and invite: it is in the limiter's state, which
        all of them ask in the transaction that would let the person in.
MUST 2: nobody here reads a secret or chooses a code: what is made is an invite, and the person does the rest.
MUST 3: a reset ends everything and opens its invite in one transaction, and the person is told at every
        address that has just ended (ENR-04).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.desk.looking import UserView, look
from nightlatch.desk.roles import NO_GROUPS, Role, RoleGroups
from nightlatch.desk.sessions import OpenSession, end_sessions, open_sessions
from nightlatch.enrollment.asking import change
from nightlatch.errors import Invalid
from nightlatch.model import Account, Changes, Credential, DecisionRequest, Secret, Snapshot

if TYPE_CHECKING:
    from nightlatch.enrollment import Invites
    from nightlatch.login.parts import Parts
    from nightlatch.model import Standing

MOST_REASON = 200


@dataclass(frozen=True, slots=True)
class Reset:
    """A person without credentials, and the invite to begin with, told this once."""

    account: Account
    removed: tuple[Credential, ...]
    invite: Secret = field(repr=False)
    expires_at: float


class Desk:
    """Acts on one person at a time. Every change has its audit row."""

    def __init__(self, parts: Parts, invites: Invites, roles: RoleGroups = NO_GROUPS) -> None:
        self._parts = parts
        self._roles = roles
        self._invites = invites

    async def is_administrator(self, user: str) -> bool:
        """Whether a person is an administrator by their groups; raises NotFound, Unavailable."""
        accounts = self._parts.accounts
        return await self._roles.of(accounts, await accounts.get(user)) is Role.ADMIN

    async def show(self, user: str) -> UserView:
        """How a person stands; raises NotFound, Unavailable."""
        return await look(self._parts.store, await self._parts.accounts.get(user))

    async def disable(self, caller: str, user: str, reason: str = "") -> tuple[Account, float]:
        """Keep a person out from now on; since when that is so. Raises Invalid, NotFound, Unavailable."""
        if len(reason) > MOST_REASON or not (reason.isprintable() or not reason):
            raise Invalid(f"A reason has at most {MOST_REASON} printable characters.")
        account = await self._parts.accounts.get(user)
        scope = limits.factor_scope(account.id)
        event = replace(change("account.disable", account, caller), reason=reason)

        def body(snapshot: Snapshot) -> tuple[Changes, tuple[float, bool]]:
            since = snapshot.standing.disabled_at
            barred = limits.bar(snapshot.limits[scope])
            standing = _signed_out(snapshot.standing)
            standing = replace(standing, disabled_at=snapshot.now if since is None else since)
            assert standing.disabled_at is not None
            return Changes({scope: barred}, standing=standing, events=(event,)), (
                standing.disabled_at,
                since is None,
            )

        since, newly = await self._parts.store.decide(_all_of(account, scope), body)
        if newly:
            self._parts.notices.tell("notice_account_disabled", event)
        return account, since

    async def enable(self, caller: str, user: str) -> tuple[Account, bool]:
        """Let a disabled person in again; whether they were disabled. Raises NotFound, Unavailable."""
        account = await self._parts.accounts.get(user)
        scope = limits.factor_scope(account.id)
        event = change("account.enable", account, caller)

        def body(snapshot: Snapshot) -> tuple[Changes, bool]:
            limit, standing = snapshot.limits[scope], snapshot.standing
            if standing.disabled_at is None and not limit.barred:
                return Changes(), False
            enabled = replace(standing, disabled_at=None)
            return Changes({scope: limits.unbar(limit)}, standing=enabled, events=(event,)), True

        return account, await self._parts.store.decide(_all_of(account, scope), body)

    async def reset(self, caller: str, user: str, days: int = 0) -> Reset:
        """End all that a person has enrolled and open an invite; raises Invalid, NotFound, Unavailable.

        Their failures are forgotten, too: what they were guesses at is gone. Who is disabled stays so.
        """
        account = await self._parts.accounts.get(user)
        scope = limits.factor_scope(account.id)
        drawn = self._invites.draw(account, days)
        event = change("credential.reset", account, caller)

        def body(snapshot: Snapshot) -> tuple[Changes, tuple[tuple[Credential, ...], float]]:
            ended = snapshot.credentials
            fresh = replace(_signed_out(snapshot.standing), holds=(), rescued_at=0.0)
            standing = drawn.opened(fresh, snapshot.now)
            rows = (event, *(change(self._ending(one), account, caller, one) for one in ended))
            invited = change("invite.create", account, caller)
            changes = Changes(
                {scope: limits.forget(snapshot.limits[scope])},
                removed=tuple(one.id for one in ended),
                standing=standing,
                events=(*rows, invited),
            )
            return changes, (ended, standing.invite_expires_at)

        ended, until = await self._parts.store.decide(_all_of(account, scope), body)
        self._parts.notices.tell("notice_credentials_reset", event, gone=ended)
        return Reset(account, ended, drawn.text, until)

    async def sessions(self, user: str) -> tuple[Account, tuple[OpenSession, ...]]:
        """A person's open sessions; raises NotFound, Unavailable."""
        return await open_sessions(self._parts, user)

    async def end_sessions(self, caller: str, user: str, session_id: str = "") -> tuple[Account, int]:
        """End a session, or all; how many were open. Raises NotFound, Unavailable."""
        return await end_sessions(self._parts, caller, user, session_id)

    def _ending(self, credential: Credential) -> str:
        facade = self._parts.factors.get(credential.factor)
        device = facade is not None and facade.plugin.silent
        return "device.revoke" if device else "credential.remove"


def _signed_out(standing: Standing) -> Standing:
    """Without sessions, and without a code on its way that would set the password anew."""
    return replace(standing, sessions=(), reset="", reset_expires_at=0.0)


def _all_of(account: Account, scope: str) -> DecisionRequest:
    return DecisionRequest((scope,), account.id, account, standing=True)
