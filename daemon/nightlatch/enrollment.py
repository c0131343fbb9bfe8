"""Giving a person a second factor: begin, show, confirm.

MUST 1: nothing is stored before an answer has proven that the person can use the credential.
MUST 2: between the two calls the credential is in a sealed ticket: nobody can read the secret back.
MUST 3: the state that is stored is the one after the confirming answer, so its code is spent already.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nightlatch.errors import Invalid, NotFound, Refused
from nightlatch.factor import Decision, EnrollmentRequest, Subject
from nightlatch.keys import SealError
from nightlatch.login.answers import read_code
from nightlatch.login.ticket import TicketError
from nightlatch.model import Account, AuditEvent, Changes, Credential, DecisionRequest, Result, Snapshot
from nightlatch.plugins.facade import CallContext

if TYPE_CHECKING:
    from nightlatch.factor import Enrollment
    from nightlatch.keys import Sealer
    from nightlatch.login.parts import Parts

LIFETIME = 600.0
"""How long an enrolment waits for its confirming answer, in seconds."""
MAX_LABEL = 64
MAX_CREDENTIALS = 20
FACTOR_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Begun:
    """A credential that is not stored yet, and what to show the person once."""

    ticket: bytes = field(repr=False)
    enrollment: Enrollment = field(repr=False)
    prompt: str


@dataclass(frozen=True, slots=True)
class _Pending:
    """What an enrolment's ticket holds."""

    account: Account
    credential: Credential
    memo: bytes = field(repr=False)
    expires_at: float


class Enrollments:
    """Enrols credentials for accounts that an administrator names."""

    def __init__(self, parts: Parts, sealer: Sealer) -> None:
        self._parts = parts
        self._sealer = sealer

    async def begin(self, caller: str, user: str, factor: str, label: str) -> Begun:
        """Make a credential; raises Invalid, NotFound, Unavailable."""
        facade = self._parts.factors.get(factor)
        if facade is None:
            known = ", ".join(sorted(self._parts.factors))
            raise NotFound(f'No factor is called "{factor}" here. Switched on: {known}.')
        label = label or facade.title
        if len(label) > MAX_LABEL or not label.isprintable():
            raise Invalid(f"A credential's name has 1 to {MAX_LABEL} printable characters.")
        account = await self._parts.accounts.get(user)
        present = await self._parts.store.credentials(account.id)
        if len(present) >= MAX_CREDENTIALS:
            raise Refused(f"{account.name} has {MAX_CREDENTIALS} credentials already. Remove one first.")
        if any(one.factor == factor and one.label == label for one in present):
            raise Refused(f'{account.name} has a credential "{label}" already. Give this one another name.')
        context = self._context()
        subject = Subject(account.name, account.directory)
        enrollment = facade.enroll(subject, EnrollmentRequest(label), context)
        challenge = await facade.challenge(subject, enrollment.state, context)
        credential = Credential(account.id, self._new_id(), factor, label, enrollment.state, context.now)
        pending = _Pending(account, credential, challenge.memo, context.now + LIFETIME)
        return Begun(self._seal(pending, caller), enrollment, challenge.prompt or "")

    async def confirm(self, caller: str, ticket: bytes, answer: bytes) -> str:
        """Store the credential and return its id; raises Refused, TicketError, Unavailable."""
        pending = self._open(ticket, caller)
        if self._parts.clock.now() >= pending.expires_at:
            raise TicketError("The enrolment took longer than 10 minutes. Begin it again.")
        facade = self._parts.factors.get(pending.credential.factor)
        if facade is None:
            raise TicketError("The factor was switched off during the enrolment.")
        code = read_code(answer)
        event = AuditEvent(
            event="credential.add",
            result=Result.CHANGED,
            reason="",
            reference="",
            account_id=pending.account.id,
            user=pending.account.name,
            factor=pending.credential.factor,
            credential_id=pending.credential.id,
            caller=caller,
        )

        def body(snapshot: Snapshot) -> tuple[Changes, Decision]:
            if any(one.id == pending.credential.id for one in snapshot.credentials):
                raise TicketError("This enrolment was confirmed before.")
            context = CallContext(snapshot.now, snapshot.now + 1.0, self._parts.randomness)
            verdict = facade.verify(pending.credential.state, pending.memo, code.reveal(), context)
            if verdict.decision is not Decision.ACCEPT:
                return Changes(), verdict.decision
            state = pending.credential.state if verdict.state is None else verdict.state
            stored = replace(pending.credential, state=state, created_at=snapshot.now)
            return Changes(put=(stored,), events=(event,)), verdict.decision

        request = DecisionRequest(account_id=pending.account.id, account=pending.account)
        if await self._parts.store.decide(request, body) is not Decision.ACCEPT:
            raise Refused("That code was not right. Wait for the next one, and check the phone's clock.")
        return pending.credential.id

    def _context(self) -> CallContext:
        now = self._parts.clock.now()
        return CallContext(now, now + FACTOR_SECONDS, self._parts.randomness)

    def _new_id(self) -> str:
        return str(uuid.UUID(bytes=self._parts.randomness.bytes(16), version=4))

    def _seal(self, pending: _Pending, caller: str) -> bytes:
        account, credential = pending.account, pending.credential
        fields = {
            "account": [account.directory, account.stable_id, account.name],
            "credential": [credential.id, credential.factor, credential.label, credential.state.hex()],
            "memo": pending.memo.hex(),
            "expires_at": pending.expires_at,
        }
        return self._sealer.seal(json.dumps(fields).encode(), b"enrollment\0" + caller.encode())

    def _open(self, ticket: bytes, caller: str) -> _Pending:
        try:
            fields = json.loads(self._sealer.open(ticket, b"enrollment\0" + caller.encode()))
        except SealError as error:
            raise TicketError("The enrolment is not from this daemon, or not for this caller.") from error
        account = Account(*fields["account"])
        identity, factor, label, state = fields["credential"]
        credential = Credential(account.id, identity, factor, label, bytes.fromhex(state), 0.0)
        return _Pending(account, credential, bytes.fromhex(fields["memo"]), fields["expires_at"])
