"""Signing in to one's own account, and proving anew that it is still the same person.

MUST 1: a session begins with a grant of the two-step login for the service "account", begun here: its tickets
        are sealed with a key of their own, so that no other login leads to one.
MUST 2: a grant by a device's evidence gives no session (DEV-03): none is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nightlatch.account.proving import SERVICE, level_of
from nightlatch.account.session import LIFETIME
from nightlatch.errors import Refused
from nightlatch.login.engine import LoginEngine
from nightlatch.login.hold import Level
from nightlatch.login.step import LoginRequest, Outcome, Primary, Verdict
from nightlatch.login.ticket import Tickets

if TYPE_CHECKING:
    from nightlatch.account.proving import Proving
    from nightlatch.account.session import Sessions
    from nightlatch.keys import Sealer
    from nightlatch.login.onboarding import Onboarding
    from nightlatch.login.parts import Parts
    from nightlatch.login.step import Step


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a person is, as far as the caller may say so."""

    source: str = ""
    terminal: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """A step, and the session that comes with a grant."""

    step: Step
    bearer: bytes = field(default=b"", repr=False)
    seconds: float = 0.0


class SigningIn:
    """Carries sign-ins and proofs."""

    def __init__(
        self, parts: Parts, sealer: Sealer, onboarding: Onboarding, sessions: Sessions, proving: Proving
    ) -> None:
        self._parts = replace(parts, tickets=Tickets(sealer, parts.randomness))
        self._engine = LoginEngine(self._parts, onboarding)
        self._sessions = sessions
        self._proving = proving

    async def begin(self, caller: str, user: str, origin: Origin, *, draws_qr: bool = False) -> Step:
        """The first step; raises Invalid."""
        return await self._engine.begin(
            caller,
            LoginRequest(user, SERVICE, origin.source, origin.terminal, Primary.PASSWORD, draws_qr=draws_qr),
        )

    async def answer(self, caller: str, ticket: bytes, answer: bytes) -> Signed:
        """The next step, and the session with a grant; raises TicketError, Unavailable."""
        step = await self._engine.answer(caller, ticket, answer)
        if not isinstance(step, Outcome) or step.verdict is not Verdict.GRANTED:
            return Signed(step)
        facade = self._parts.factors.get(step.factor)
        if step.grant is None or (facade is not None and facade.plugin.silent):
            raise Refused("a device opens no session")
        level = level_of(self._parts, step.factor)
        grant = step.grant
        bearer = await self._sessions.open(caller, grant.account, level, grant.source, grant.credential_id)
        return Signed(step, bearer, LIFETIME)

    async def begin_proof(self, caller: str, bearer: bytes) -> Step:
        """The first question of a fresh proof; raises SessionEnded, Unavailable."""
        session = await self._sessions.take(caller, bearer)
        return await self._proving.begin(f"{caller} {session.id}", session.account, session.source)

    async def answer_proof(self, caller: str, bearer: bytes, ticket: bytes, answer: bytes) -> Signed:
        """The next step, and the session to go on with; raises SessionEnded, TicketError, Unavailable."""
        session = await self._sessions.take(caller, bearer)
        step = await self._proving.answer(f"{caller} {session.id}", session.account, ticket, answer)
        if not isinstance(step, Outcome) or step.verdict is not Verdict.GRANTED:
            return Signed(step)
        left = session.expires_at - self._parts.clock.now()
        return Signed(step, self._sessions.proven(caller, session, Level.FULL), max(0.0, left))
