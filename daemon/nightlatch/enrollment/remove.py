"""Taking a credential away from a person who can still prove it.

MUST 1: a credential goes only after a fresh proof by itself; guesses count like those of a login.
MUST 2: the last credential that the person could sign in with stays, until there is another one.
MUST 3: the person is told everywhere but there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.enrollment.asking import ask, change, facade_of
from nightlatch.enrollment.pending import LIFETIME, Pending, PendingTickets
from nightlatch.errors import Conflict, Locked, NotFound, Refused
from nightlatch.factor import Decision
from nightlatch.login import words
from nightlatch.login.answers import read_code
from nightlatch.login.hold import after_removing, is_full
from nightlatch.model import Changes, DecisionRequest, Result, Snapshot
from nightlatch.plugins.facade import CallContext

if TYPE_CHECKING:
    from nightlatch.keys import Sealer
    from nightlatch.login.parts import Parts
    from nightlatch.model import Credential

LAST_ONE = "This is the last credential to sign in with. Enrol another one first."
WRONG_CODE = "That code was not right. Nothing was removed."


@dataclass(frozen=True, slots=True)
class Asked:
    """A removal that waits for a proof."""

    ticket: bytes = field(repr=False)
    prompt: str
    credential: Credential


class Removals:
    """Removes credentials behind a proof."""

    def __init__(self, parts: Parts, sealer: Sealer) -> None:
        self._parts = parts
        self._tickets = PendingTickets(sealer, "removal")

    async def begin(self, caller: str, user: str, credential_id: str) -> Asked:
        """Ask for the proof; raises NotFound, Refused, Locked, Unavailable."""
        account = await self._parts.accounts.get(user)
        present = await self._parts.store.credentials(account.id)
        found = next((one for one in present if one.id == credential_id), None)
        if found is None:
            raise NotFound(f"{account.name} has no credential {credential_id}.")
        self._refuse_last(found, present)
        event = change("message.send", account, caller, found)
        challenge = await ask(self._parts, account, found, event)
        if challenge.state is not None:
            await self._keep(replace(found, state=challenge.state))
        pending = Pending(account, found, challenge.memo, self._parts.clock.now() + LIFETIME)
        prompt = words.named(challenge.prompt or "", found.label if challenge.labelled else "")
        return Asked(self._tickets.seal(pending, caller), prompt, found)

    async def confirm(self, caller: str, ticket: bytes, answer: bytes) -> Credential:
        """Remove the credential; raises Refused, Locked, TicketError, Unavailable."""
        pending = self._tickets.open(ticket, caller, self._parts.clock.now())
        code = read_code(answer).reveal()
        scope = limits.factor_scope(pending.account.id)
        event = change("credential.remove", pending.account, caller, pending.credential)
        facade = facade_of(self._parts, pending.credential)

        def body(snapshot: Snapshot) -> tuple[Changes, bool | limits.Blocked]:
            charged = limits.charge_factor(snapshot.limits[scope], snapshot.now)
            if isinstance(charged, limits.Blocked):
                return Changes(limits={scope: charged.state}), charged
            found = next((one for one in snapshot.credentials if one.id == pending.credential.id), None)
            if found is None:
                raise NotFound("The credential is gone already.")
            self._refuse_last(found, snapshot.credentials)
            context = CallContext(snapshot.now, snapshot.now + 1.0, self._parts.randomness)
            verdict = facade.verify(found.state, pending.memo, code, context)
            if verdict.decision is not Decision.ACCEPT:
                refused = replace(event, result=Result.REFUSED, reason=verdict.reason or "wrong proof")
                return Changes(limits={scope: charged.state}, events=(refused,)), False
            forgiven = limits.succeed(charged.state, charged.charged_at)
            standing = after_removing(snapshot.standing, self._parts.factors, (found,))
            changes = Changes({scope: forgiven}, removed=(found.id,), standing=standing, events=(event,))
            return changes, True

        request = DecisionRequest((scope,), pending.account.id, standing=True)
        outcome = await self._parts.store.decide(request, body)
        if isinstance(outcome, limits.Blocked):
            raise Locked(outcome.reason, outcome.retry_after)
        if not outcome:
            raise Refused(WRONG_CODE)
        gone = pending.credential
        self._parts.notices.tell("notice_credential_removed", event, gone.label, gone=(gone,))
        return pending.credential

    async def _keep(self, asked: Credential) -> None:
        """Store what the challenge changed, such as the code that is on its way."""

        def body(snapshot: Snapshot) -> tuple[Changes, None]:
            there = [one for one in snapshot.credentials if one.id == asked.id]
            return Changes(put=tuple(replace(one, state=asked.state) for one in there)), None

        await self._parts.store.decide(DecisionRequest(account_id=asked.account_id), body)

    def _refuse_last(self, credential: Credential, present: tuple[Credential, ...]) -> None:
        if self._signs_in(credential) and not any(
            self._signs_in(one) for one in present if one.id != credential.id
        ):
            raise Conflict(LAST_ONE)

    def _signs_in(self, credential: Credential) -> bool:
        """Whether a person could go on signing in with this credential alone."""
        facade = self._parts.factors.get(credential.factor)
        return facade is not None and is_full(facade.plugin)
