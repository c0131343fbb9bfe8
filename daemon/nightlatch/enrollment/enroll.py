"""Giving a person a second factor.

MUST 1: nothing counts before an answer has proven that the person can use the credential, but for factors
        whose credentials can not be proven that way (printed codes).
MUST 2: between the two calls the credential is in a sealed ticket: nobody can read the secret back.
MUST 3: the state that is stored is the one after the confirming answer, so its code is spent already.
MUST 4: guesses at a confirming code are counted, each enrolment by itself: an address is proven, not guessed.
MUST 5: the person is told everywhere but at the credential that is new.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.enrollment.asking import ask, change
from nightlatch.enrollment.pending import LIFETIME, Pending, PendingTickets
from nightlatch.errors import Conflict, Invalid, Locked, NotFound, Refused
from nightlatch.factor import Decision, EnrollmentRequest, Subject
from nightlatch.login.answers import read_code
from nightlatch.login.ticket import TicketError
from nightlatch.model import Changes, Credential, DecisionRequest, Snapshot
from nightlatch.plugins.facade import CallContext

if TYPE_CHECKING:
    from nightlatch.factor import Enrollment
    from nightlatch.keys import Sealer
    from nightlatch.login.parts import Parts
    from nightlatch.model import Account
    from nightlatch.plugins.facade import FactorFacade

MAX_LABEL = 64
MAX_CREDENTIALS = 20
WRONG_CODE = "That code was not right. Nothing was stored."


@dataclass(frozen=True, slots=True)
class Begun:
    """A new credential, and what to show the person once."""

    enrollment: Enrollment = field(repr=False)
    ticket: bytes = field(default=b"", repr=False)
    """To be confirmed with; empty when the credential counts already."""
    prompt: str = ""
    credential_id: str = ""
    """Set when the credential counts already."""


class Enrollments:
    """Enrols credentials for accounts that an administrator names."""

    def __init__(self, parts: Parts, sealer: Sealer) -> None:
        self._parts = parts
        self._tickets = PendingTickets(sealer, "enrollment")

    async def begin(self, caller: str, user: str, factor: str, label: str, address: str = "") -> Begun:
        """Make a credential; raises Invalid, NotFound, Refused, Locked, Unavailable."""
        facade = self._facade(factor, address)
        if len(label) > MAX_LABEL or not label.isprintable():
            raise Invalid(f"A credential's name has 1 to {MAX_LABEL} printable characters.")
        account = await self._parts.accounts.get(user)
        now = self._parts.clock.now()
        context = CallContext(now, now + 1.0, self._parts.randomness)
        request = EnrollmentRequest(label or facade.title, address)
        subject = Subject(account.name, account.directory)
        # In a thread: printed codes are hashed ten times over, and nobody's login waits for that.
        made = await asyncio.to_thread(facade.enroll, subject, request, context)
        name = label or made.label or facade.title
        await self._refuse_too_many(account, facade, name)
        identity = str(uuid.UUID(bytes=self._parts.randomness.bytes(16), version=4))
        credential = Credential(account.id, identity, factor, name, made.state, now)
        if not facade.plugin.confirmed:
            await self._store(caller, account, credential)
            return Begun(made, credential_id=credential.id)
        challenge = await ask(
            self._parts, account, credential, change("message.send", account, caller, credential)
        )
        if challenge.state is not None:
            credential = replace(credential, state=challenge.state)
        pending = Pending(account, credential, challenge.memo, now + LIFETIME)
        return Begun(made, self._tickets.seal(pending, caller), challenge.prompt or "")

    async def confirm(self, caller: str, ticket: bytes, answer: bytes) -> str:
        """Store the credential and return its id; raises Refused, Locked, TicketError, Unavailable."""
        pending = self._tickets.open(ticket, caller, self._parts.clock.now())
        facade = self._parts.factors.get(pending.credential.factor)
        if facade is None:
            raise TicketError("The factor was switched off during the enrolment.")
        code = read_code(answer).reveal()
        event = change("credential.add", pending.account, caller, pending.credential)
        scope = f"enrollment/{pending.credential.id}"

        def body(snapshot: Snapshot) -> tuple[Changes, Decision | limits.Blocked]:
            charged = limits.charge_factor(snapshot.limits[scope], snapshot.now)
            if isinstance(charged, limits.Blocked):
                return Changes(limits={scope: charged.state}), charged
            if any(one.id == pending.credential.id for one in snapshot.credentials):
                raise TicketError("This enrolment was confirmed before.")
            context = CallContext(snapshot.now, snapshot.now + 1.0, self._parts.randomness)
            verdict = facade.verify(pending.credential.state, pending.memo, code, context)
            if verdict.decision is not Decision.ACCEPT:
                return Changes(limits={scope: charged.state}), verdict.decision
            state = pending.credential.state if verdict.state is None else verdict.state
            stored = replace(pending.credential, state=state, created_at=snapshot.now)
            older = self._replaced(stored, snapshot)
            return Changes(put=(stored,), removed=older, events=(event,)), verdict.decision

        request = DecisionRequest((scope,), pending.account.id, pending.account)
        outcome = await self._parts.store.decide(request, body)
        if isinstance(outcome, limits.Blocked):
            raise Locked(outcome.reason, outcome.retry_after)
        if outcome is not Decision.ACCEPT:
            raise Refused(WRONG_CODE)
        self._parts.notices.tell("notice_credential_added", event, pending.credential.label)
        return pending.credential.id

    async def _store(self, caller: str, account: Account, credential: Credential) -> None:
        """Store a credential that needs no confirming answer."""
        event = change("credential.add", account, caller, credential)

        def body(snapshot: Snapshot) -> tuple[Changes, None]:
            older = self._replaced(credential, snapshot)
            return Changes(put=(credential,), removed=older, events=(event,)), None

        await self._parts.store.decide(DecisionRequest(account_id=account.id, account=account), body)
        self._parts.notices.tell("notice_credential_added", event, credential.label)

    def _replaced(self, credential: Credential, snapshot: Snapshot) -> tuple[str, ...]:
        """The older credentials that this one takes the place of."""
        if not self._parts.factors[credential.factor].plugin.single:
            return ()
        return tuple(one.id for one in snapshot.credentials if one.factor == credential.factor)

    def _facade(self, factor: str, address: str) -> FactorFacade:
        facade = self._parts.factors.get(factor)
        if facade is None or facade.plugin.silent:
            known = (name for name, one in self._parts.factors.items() if not one.plugin.silent)
            raise NotFound(
                f'No factor called "{factor}" can be enrolled here. Known: {", ".join(sorted(known))}.'
            )
        if facade.plugin.medium is not None and not address:
            raise Invalid(f"{facade.title} needs an address to send codes to. Give it with --address.")
        if facade.plugin.medium is None and address:
            raise Invalid(f"{facade.title} sends nothing, so it takes no address.")
        return facade

    async def _refuse_too_many(self, account: Account, facade: FactorFacade, label: str) -> None:
        present = await self._parts.store.credentials(account.id)
        if len(present) >= MAX_CREDENTIALS:
            raise Conflict(f"{account.name} has {MAX_CREDENTIALS} credentials already. Remove one first.")
        if facade.plugin.single:
            return
        if any(one.factor == facade.name and one.label == label for one in present):
            raise Conflict(f'{account.name} has a credential "{label}" already. Give this one another name.')
