"""Signing in to administer: the two-step login, and the role that the person's groups give.

MUST 1: a session begins with a grant by a factor that people sign in with every day: no waiver, grace,
        device, printed code or last resort leads to one, nor what is on hold after a rescue (REC-04), and
        nothing is set up on the way.
MUST 2: the role is looked up at every use: who has left the group, or is disabled, has none any more.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nightlatch.account.proving import NothingToSetUp, level_of
from nightlatch.account.session import ENDED
from nightlatch.errors import Refused, SessionEnded
from nightlatch.login.engine import LoginEngine
from nightlatch.login.hold import Level
from nightlatch.login.step import LoginRequest, Outcome, Primary, Verdict
from nightlatch.login.ticket import Tickets

if TYPE_CHECKING:
    from nightlatch.account.session import Session, Sessions
    from nightlatch.desk.roles import Role, RoleGroups
    from nightlatch.keys import Sealer
    from nightlatch.login.parts import Parts
    from nightlatch.login.step import Step

SERVICE = "nightlatch-admin"
"""What rules know it by."""
ONE_STEP = "To administer, sign in with a second step of your own, such as an app."
NO_ROLE = "You are signed in, but none of your groups has a role here. See [[roles]] in the configuration."


@dataclass(frozen=True, slots=True)
class AdminSigned:
    """A step; with a grant, the session and its bearer too."""

    step: Step
    bearer: bytes = field(default=b"", repr=False)
    session: Session | None = None
    role: Role | None = None


class AdminSigningIn:
    """Signs administrators in."""

    def __init__(self, parts: Parts, sealer: Sealer, sessions: Sessions, roles: RoleGroups) -> None:
        """`sealer` is for the tickets of these logins alone."""
        self._parts = replace(parts, tickets=Tickets(sealer, parts.randomness), takes_held=False)
        self._engine = LoginEngine(self._parts, NothingToSetUp())
        self._sessions = sessions
        self._roles = roles

    async def begin(self, caller: str, user: str) -> Step:
        """The first step; raises Invalid."""
        return await self._engine.begin(caller, LoginRequest(user, SERVICE, "", caller, Primary.PASSWORD))

    async def answer(self, caller: str, ticket: bytes, answer: bytes) -> AdminSigned:
        """The next step; raises Refused with words for the person, TicketError, Unavailable."""
        step = await self._engine.answer(caller, ticket, answer)
        if not isinstance(step, Outcome) or step.verdict is not Verdict.GRANTED:
            return AdminSigned(step)
        if step.grant is None or level_of(self._parts, step.factor) is not Level.FULL:
            raise Refused(ONE_STEP)
        account = step.grant.account
        role = await self._roles.of(self._parts.accounts, account)
        if role is None:
            raise Refused(NO_ROLE)
        bearer = await self._sessions.open(caller, account, Level.FULL, "", step.grant.credential_id)
        return AdminSigned(step, bearer, await self._sessions.take(caller, bearer), role)

    async def resume(self, caller: str, bearer: bytes) -> tuple[Session, Role]:
        """The session behind a bearer, and the role as it is now; raises SessionEnded, Unavailable."""
        session = await self._sessions.take(caller, bearer)
        role = await self._roles.of(self._parts.accounts, session.account)
        if role is None:
            raise SessionEnded(ENDED)
        return session, role

    async def end(self, caller: str, bearer: bytes) -> Session:
        """Sign out of a session, open or over; raises SessionEnded for one of another caller, Unavailable."""
        return await self._sessions.end(caller, bearer)
