"""One proof of a second factor, decided inside the store's transaction.

MUST 1: the limiter is charged before the proof is looked at, and in the same transaction.
MUST 2: the account's credentials are those of the transaction: one removed meanwhile does not count.
MUST 3: a login's id is spent by its grant: its ticket grants no second time.
MUST 4: `_grant` is the one place that lets anyone in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.errors import Locked
from nightlatch.factor import Decision, Verdict
from nightlatch.model import Changes, Result
from nightlatch.plugins.facade import CallContext

if TYPE_CHECKING:
    from nightlatch.login.parts import Parts
    from nightlatch.login.ticket import LoginState
    from nightlatch.model import AuditEvent, Credential, Secret, Snapshot

VERIFY_SECONDS = 1.0
"""How long a factor may take to decide: people behind it wait for the same transaction."""


class Proof(Enum):
    """What an answer was worth."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PENDING = "pending"
    SPENT = "spent"
    """The login had been granted before."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decided answer. `reason` is for the log, as the audit has it."""

    proof: Proof
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """One answer to one credential's challenge. Called by the store with what it has locked and read."""

    parts: Parts
    state: LoginState
    allowed: frozenset[str]
    answer: Secret
    scope: str
    event: AuditEvent
    """The audit row as it stands before the decision: refused."""

    def __call__(self, snapshot: Snapshot) -> tuple[Changes, Judgement]:
        """Decide; raises Locked, Unavailable, and then nothing is written."""
        charged = limits.charge_factor(snapshot.limits[self.scope], snapshot.now)
        if isinstance(charged, limits.Blocked):
            raise Locked(charged.reason, charged.retry_after)
        if snapshot.spent:
            return self._refuse(charged, "the login was granted before", Proof.SPENT)
        credential = next((one for one in snapshot.credentials if one.id == self.state.credential_id), None)
        if credential is None:
            return self._refuse(charged, "the credential was removed during the login")
        if credential.factor not in self.allowed:
            return self._refuse(charged, "policy does not let this factor count here")
        verdict = self._verify(credential, snapshot.now)
        after = credential if verdict.state is None else replace(credential, state=verdict.state)
        if verdict.decision is Decision.ACCEPT:
            return self._grant(charged, replace(after, last_used_at=snapshot.now), verdict.reason)
        if verdict.decision is Decision.PENDING:
            return Changes(), Judgement(Proof.PENDING)
        changes, judgement = self._refuse(charged, verdict.reason or "wrong proof", credential=credential)
        return (changes if after is credential else replace(changes, put=(after,))), judgement

    def _verify(self, credential: Credential, now: float) -> Verdict:
        facade = self.parts.factors[credential.factor]
        context = CallContext(now, now + VERIFY_SECONDS, self.parts.randomness)
        return facade.verify(credential.state, self.state.memo, self.answer.reveal(), context)

    def _refuse(
        self,
        charged: limits.Charged,
        reason: str,
        proof: Proof = Proof.REJECTED,
        *,
        credential: Credential | None = None,
    ) -> tuple[Changes, Judgement]:
        event = replace(self.event, reason=reason)
        if credential is not None:
            event = replace(event, factor=credential.factor, credential_id=credential.id)
        return Changes(limits={self.scope: charged.state}, events=(event,)), Judgement(proof, reason)

    def _grant(
        self, charged: limits.Charged, credential: Credential, reason: str
    ) -> tuple[Changes, Judgement]:
        event = replace(
            self.event,
            result=Result.GRANTED,
            reason=reason,
            factor=credential.factor,
            credential_id=credential.id,
        )
        limits_after = {self.scope: limits.succeed(charged.state, charged.charged_at)}
        changes = Changes(limits=limits_after, put=(credential,), spend=True, events=(event,))
        return changes, Judgement(Proof.ACCEPTED, reason)
