"""One proof of a second factor, decided inside the store's transaction.

MUST 1: the limiter is charged before the proof is looked at, and in the same transaction. A slow factor's
        verdict is worked out between two: asked for where the limiter lets through, counted in the second.
MUST 2: the account's credentials are those of the transaction: one removed meanwhile does not count.
MUST 3: the ticket is spent by its answer, right or wrong: neither it nor the code in it counts again.
MUST 4: `_grant` is the one place that lets anyone in.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.factor import Decision, Verdict
from nightlatch.login.facts import failure_facts, until_facts
from nightlatch.login.hold import ends_at
from nightlatch.model import Changes, Result
from nightlatch.plugins.facade import CallContext

if TYPE_CHECKING:
    from nightlatch.login.parts import Parts
    from nightlatch.login.ticket import LoginState
    from nightlatch.model import AuditEvent, Credential, Secret, Snapshot

HELD = "what was added after a rescue is on hold"
VERIFY_SECONDS = 1.0
"""How long a factor may take to decide: people behind it wait for the same transaction."""


class Proof(Enum):
    """What an answer was worth."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PENDING = "pending"
    AGAIN = "again"
    LOCKED = "locked"
    SPENT = "spent"
    """The ticket had been answered before."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decided answer. `reason` is for the log, as the audit has it."""

    proof: Proof
    reason: str = ""
    retry_after: float = 0.0
    notice: str = ""
    """The factor's words for the person, with a grant."""
    token: str = field(default="", repr=False)
    """A new secret for the caller's device, with a grant."""
    uses_left: int | None = None
    credential: Credential | None = None
    """The credential that the answer was for."""
    revoked: bool = False
    """Whether the factor took the credential away."""


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
        """Decide; raises Unavailable, and then nothing is written."""
        charged = limits.charge_factor(snapshot.limits[self.scope], snapshot.now)
        if isinstance(charged, limits.Blocked):
            return self._locked(charged, snapshot.now)
        if snapshot.spent:
            return self._refuse(charged, "the question was answered before", Proof.SPENT)
        credential = next((one for one in snapshot.credentials if one.id == self.state.credential_id), None)
        if credential is None:
            return self._refuse(charged, "the credential was removed during the login")
        if credential.factor not in self.allowed:
            return self._refuse(charged, "policy does not let this factor count here")
        if not self.parts.takes_held and ends_at(snapshot.standing, credential.id, snapshot.now):
            return self._refuse(charged, HELD)
        return self._judge(charged, credential, snapshot.now)

    def _judge(
        self, charged: limits.Charged, credential: Credential, now: float
    ) -> tuple[Changes, Judgement]:
        verdict = self._verify(credential, now)
        if verdict.state is not None:
            credential = replace(credential, state=verdict.state)
        match verdict.decision:
            case Decision.ACCEPT:
                return self._grant(charged, replace(credential, last_used_at=now), verdict)
            case Decision.PENDING:
                return Changes(), Judgement(Proof.PENDING)
            case Decision.AGAIN:
                return Changes(spend=True), Judgement(Proof.AGAIN, credential=credential)
            case _:
                return self._reject(charged, credential, verdict)

    def _verify(self, credential: Credential, now: float) -> Verdict:
        facade = self.parts.factors[credential.factor]
        context = CallContext(now, now + VERIFY_SECONDS, self.parts.randomness)
        return facade.verify(credential.state, self.state.memo, self.answer.reveal(), context)

    def _locked(self, blocked: limits.Blocked, now: float) -> tuple[Changes, Judgement]:
        facts = until_facts(blocked.retry_after, now)
        event = replace(self.event, result=Result.LOCKED, reason=blocked.reason, facts=facts)
        changes = Changes(limits={self.scope: blocked.state}, events=(event,))
        return changes, Judgement(Proof.LOCKED, blocked.reason, blocked.retry_after)

    def _refuse(
        self, charged: limits.Charged, reason: str, proof: Proof = Proof.REJECTED
    ) -> tuple[Changes, Judgement]:
        facts = failure_facts(charged.state, charged.charged_at)
        event = replace(self.event, reason=reason, facts=facts)
        spend = proof is not Proof.SPENT  # the store takes nothing of a decision that spends a second time
        return Changes({self.scope: charged.state}, spend=spend, events=(event,)), Judgement(proof, reason)

    def _reject(
        self, charged: limits.Charged, credential: Credential, verdict: Verdict
    ) -> tuple[Changes, Judgement]:
        changes, judgement = self._refuse(charged, verdict.reason or "wrong proof")
        event = named(changes.events[0], credential)
        event = replace(event, facts=f"{verdict.facts} {event.facts}".strip())
        kept = () if verdict.state is None or verdict.revoke else (credential,)
        removed = (credential.id,) if verdict.revoke else ()
        changes = replace(changes, put=kept, removed=removed, events=(event,))
        return changes, replace(judgement, credential=credential, revoked=verdict.revoke)

    def _grant(
        self, charged: limits.Charged, credential: Credential, verdict: Verdict
    ) -> tuple[Changes, Judgement]:
        result = Result.PASSED if self.state.proving else Result.GRANTED
        event = replace(self.event, result=result, reason=verdict.reason, facts=verdict.facts)
        event = named(event, credential)
        state = limits.succeed(charged.state, charged.charged_at)
        changes = Changes({self.scope: state}, (credential,), spend=True, events=(event,))
        judgement = Judgement(
            Proof.ACCEPTED,
            verdict.reason,
            notice=verdict.notice,
            token=verdict.token,
            uses_left=verdict.uses_left,
            credential=credential,
        )
        return changes, judgement


def named(event: AuditEvent, credential: Credential) -> AuditEvent:
    """An audit row with its credential."""
    return replace(event, factor=credential.factor, credential_id=credential.id)
