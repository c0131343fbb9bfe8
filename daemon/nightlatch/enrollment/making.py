"""Makes credentials and lets them be proven: one way, for administrators and for people at a login.

MUST 1: nothing counts before an answer has proven that the person can use the credential, but for factors
        whose credentials can not be proven that way (printed codes).
MUST 2: the state that is stored is the one after the confirming answer, so its code is spent (OTP-07).
MUST 3: guesses at a confirming code are counted, each enrolment by itself: an address is proven, not guessed.
MUST 4: the person is told everywhere but at the credential that is new.
MUST 5: what is added after a rescue is on hold, and takes the place of nothing (REC-04).
"""

from __future__ import annotations

import asyncio
import math
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.errors import Conflict, Locked, Restricted
from nightlatch.factor import Decision, EnrollmentRequest, Subject
from nightlatch.login import words
from nightlatch.login.hold import Level, after_adding, after_removing, ends_at
from nightlatch.login.ticket import TicketError
from nightlatch.login.trial import HELD
from nightlatch.model import Changes, Credential, DecisionRequest, Snapshot
from nightlatch.plugins.facade import CallContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.factor import Enrollment
    from nightlatch.login.parts import Parts
    from nightlatch.model import Account, AuditEvent, Secret
    from nightlatch.plugins.facade import FactorFacade

MAX_CREDENTIALS = 20
"""Of one account, without its trusted devices; more would make its logins slow."""
VERIFY_SECONDS = 1.0


def without_devices(present: tuple[Credential, ...], parts: Parts) -> tuple[Credential, ...]:
    """The credentials that `MAX_CREDENTIALS` is about: trusted devices have a limit of their own."""
    facades = ((one, parts.factors.get(one.factor)) for one in present)
    return tuple(one for one, facade in facades if facade is None or not facade.plugin.silent)


def nothing_more(_snapshot: Snapshot) -> None:
    """No condition."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A credential that waits for the answer that proves it."""

    account: Account
    credential: Credential
    memo: bytes = field(repr=False)
    event: AuditEvent
    """The audit row of the new credential."""
    also: tuple[AuditEvent, ...] = ()
    """Further rows that are written with it."""
    shown: Level = Level.NONE
    """What the one who adds it has shown for that; NONE where somebody else answers for it."""
    scopes: tuple[str, ...] = ()
    """Limiter scopes that `condition` looks at."""
    condition: Callable[[Snapshot], None] = nothing_more
    """Raises where the credential may not be stored any more; asked in the storing transaction."""


class Making:
    """Makes, confirms, stores."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def make(
        self, account: Account, facade: FactorFacade, label: str, address: str
    ) -> tuple[Enrollment, Credential]:
        """A new credential and what to show once; raises Invalid with words for the person, Unavailable."""
        now = self._parts.clock.now()
        context = CallContext(now, now + VERIFY_SECONDS, self._parts.randomness)
        request = EnrollmentRequest(label or facade.title, address)
        subject = Subject(account.name, account.directory)
        # In a thread: printed codes are hashed ten times over, and nobody's login waits for that.
        made = await asyncio.to_thread(facade.enroll, subject, request, context)
        name = label or made.label or facade.title
        identity = str(uuid.UUID(bytes=self._parts.randomness.bytes(16), version=4))
        return made, Credential(account.id, identity, facade.name, name, made.state, now)

    async def present(self, account: Account) -> tuple[Credential, ...]:
        """The credentials that the account has; raises Conflict where it may have no other, Unavailable."""
        present = await self._parts.store.credentials(account.id)
        self._refuse_too_many(present)
        return present

    def _refuse_too_many(self, present: tuple[Credential, ...]) -> None:
        """Raise Conflict where there may be no other one."""
        if len(without_devices(present, self._parts)) >= MAX_CREDENTIALS:
            raise Conflict(f"There are {MAX_CREDENTIALS} credentials already. Remove one first.")

    async def confirm(self, waiting: Confirmation, code: Secret) -> Decision:
        """Store the credential if the code is right, and say what the code was.

        Raises Locked after too many guesses, TicketError when it was stored before, Conflict where there are
        too many, Unavailable, and what the condition raises; then nothing is stored.
        """
        facade, credential = self._parts.factors[waiting.credential.factor], waiting.credential
        scope = f"enrollment/{credential.id}"

        def body(snapshot: Snapshot) -> tuple[Changes, Decision | limits.Blocked]:
            charged = limits.charge_factor(snapshot.limits[scope], snapshot.now)
            if isinstance(charged, limits.Blocked):
                return Changes(limits={scope: charged.state}), charged
            if any(one.id == credential.id for one in snapshot.credentials):
                raise TicketError("This enrolment was confirmed before.")
            waiting.condition(snapshot)
            context = CallContext(snapshot.now, snapshot.now + VERIFY_SECONDS, self._parts.randomness)
            verdict = facade.verify(credential.state, waiting.memo, code.reveal(), context)
            if verdict.decision in {Decision.AGAIN, Decision.PENDING}:
                return Changes(), verdict.decision
            if verdict.decision is not Decision.ACCEPT:
                return Changes(limits={scope: charged.state}), verdict.decision
            state = credential.state if verdict.state is None else verdict.state
            stored = replace(credential, state=state, created_at=snapshot.now)
            return self._storing(
                stored, snapshot, waiting.shown, (waiting.event, *waiting.also)
            ), verdict.decision

        account = waiting.account
        request = DecisionRequest((scope, *waiting.scopes), account.id, account, standing=True)
        outcome = await self._parts.store.decide(request, body)
        if isinstance(outcome, limits.Blocked):
            raise Locked(outcome.reason, outcome.retry_after)
        if outcome is Decision.ACCEPT:
            self._parts.notices.tell("notice_credential_added", waiting.event, credential.label)
        return outcome

    async def store(self, account: Account, credential: Credential, event: AuditEvent) -> None:
        """Store a credential that needs no confirming answer."""

        def body(snapshot: Snapshot) -> tuple[Changes, None]:
            return self._storing(credential, snapshot, Level.NONE, (event,)), None

        request = DecisionRequest(account_id=account.id, account=account, standing=True)
        await self._parts.store.decide(request, body)
        self._parts.notices.tell("notice_credential_added", event, credential.label)

    def _storing(
        self, credential: Credential, snapshot: Snapshot, shown: Level, events: tuple[AuditEvent, ...]
    ) -> Changes:
        """A new credential in the place of the older ones that it replaces; raises Restricted, Conflict."""
        factors = self._parts.factors
        single = factors[credential.factor].plugin.single
        older = tuple(one for one in snapshot.credentials if single and one.factor == credential.factor)
        if not older:
            self._refuse_too_many(snapshot.credentials)
        standing = after_removing(after_adding(snapshot, factors, credential, shown), factors, older)
        until = ends_at(standing, credential.id, snapshot.now)
        if until:
            if older:
                raise Restricted(HELD, words.replaces_nothing(until))
            events = tuple(replace(one, facts=f"hold_until={math.ceil(until)}") for one in events)
        return Changes(
            put=(credential,),
            removed=tuple(one.id for one in older),
            standing=None if standing == snapshot.standing else standing,
            events=events,
        )
