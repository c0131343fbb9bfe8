"""Silent factors of a login: what the caller's evidence is worth, decided inside the store's transaction.

MUST 1: evidence grants only behind the first factor, and only where policy trusts devices.
MUST 2: while the second factor is blocked, evidence is worth nothing either.
MUST 3: evidence of one account is worth nothing for another: only the account's own credentials are asked.
MUST 4: evidence that is worth nothing counts as no failure: the person is asked as if there were none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.factor import Decision
from nightlatch.login.trial import VERIFY_SECONDS, Judgement, Proof, named
from nightlatch.model import Changes, Result
from nightlatch.plugins.facade import CallContext

if TYPE_CHECKING:
    from nightlatch.factor import Verdict
    from nightlatch.login.parts import Parts
    from nightlatch.login.ticket import LoginState
    from nightlatch.model import AuditEvent, Credential, Snapshot


NO_DEVICE = "the evidence belongs to no trusted device of this account"


@dataclass(frozen=True, slots=True)
class SilentTrial:
    """All evidence against all silent credentials of the account; the first that accepts grants."""

    parts: Parts
    state: LoginState
    allowed: frozenset[str]
    scope: str
    event: AuditEvent
    """The audit row as it stands before the decision: refused."""

    def __call__(self, snapshot: Snapshot) -> tuple[Changes, Judgement]:
        """Decide; raises Unavailable, and then nothing is written."""
        charged = limits.charge_factor(snapshot.limits[self.scope], snapshot.now)
        if snapshot.spent or isinstance(charged, limits.Blocked):
            return Changes(), Judgement(Proof.REJECTED)
        changed: dict[str, Credential] = {}
        reason = NO_DEVICE
        for credential in snapshot.credentials:
            if credential.factor not in self.allowed:
                continue
            for evidence in self.state.evidence:
                verdict = self._verify(credential, evidence, snapshot.now)
                decided = self._decided(credential, verdict, snapshot.now)
                if decided is not None:
                    return decided
                if verdict.state is not None:
                    # What was seen to have ended stays ended, wherever the clock goes.
                    changed[credential.id] = replace(credential, state=verdict.state)
                    reason = verdict.reason or reason
        event = replace(self.event, reason=reason)
        return Changes(put=tuple(changed.values()), events=(event,)), Judgement(Proof.REJECTED, reason)

    def _verify(self, credential: Credential, evidence: str, now: float) -> Verdict:
        context = CallContext(now, now + VERIFY_SECONDS, self.parts.randomness)
        return self.parts.factors[credential.factor].verify(credential.state, b"", evidence, context)

    def _decided(
        self, credential: Credential, verdict: Verdict, now: float
    ) -> tuple[Changes, Judgement] | None:
        """What a verdict decides at once; None when the piece is worth nothing to this credential."""
        if verdict.decision is Decision.REJECT and verdict.revoke:
            event = replace(named(self.event, credential), event="device.revoke", reason=verdict.reason)
            judgement = Judgement(Proof.REJECTED, verdict.reason, credential=credential, revoked=True)
            return Changes(removed=(credential.id,), events=(event,)), judgement
        if verdict.decision is not Decision.ACCEPT:
            return None
        state = credential.state if verdict.state is None else verdict.state
        used = replace(credential, state=state, last_used_at=now)
        event = replace(named(self.event, used), result=Result.GRANTED, reason=verdict.reason)
        judgement = Judgement(Proof.ACCEPTED, verdict.reason, token=verdict.token, credential=used)
        return Changes(put=(used,), spend=True, events=(event,)), judgement
