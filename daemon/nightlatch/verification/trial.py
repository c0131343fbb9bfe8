"""One code against what a person has enrolled, decided inside the store's transaction.

MUST 1: the limiter is charged before the code is looked at, once a call, however many credentials there are.
MUST 2: a request that was decided before gets the same verdict, unless an administrator has disabled the
        account since, and nothing is charged or spent again.
MUST 3: the credentials are those of the transaction, and only those of factors that policy lets count.
MUST 4: a credential that its factor calls stolen is gone with the decision, and the code counts nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.errors import Conflict, NightlatchError, Unavailable
from nightlatch.factor import Decision
from nightlatch.login.facts import failure_facts, until_facts
from nightlatch.login.trial import VERIFY_SECONDS
from nightlatch.model import Changes, Result
from nightlatch.plugins.facade import CallContext
from nightlatch.verification.answers import Verification, Verified

if TYPE_CHECKING:
    from nightlatch.factor import Verdict
    from nightlatch.login.parts import Parts
    from nightlatch.model import AuditEvent, Credential, LimitState, Secret, Snapshot

NOBODY = "nobody/"
"""How the scopes begin in which wrong codes are counted where nothing is enrolled: they lock no account."""
OTHER_REQUEST = "This request_id, or this ticket, was used for another request. Take a new one."


class NothingCounts(NightlatchError):
    """The account has nothing enrolled that counts, and the caller may not know."""


@dataclass(frozen=True, slots=True)
class CodeTrial:
    """A code against all credentials that can be asked without a challenge, or against the challenged one."""

    parts: Parts
    allowed: frozenset[str]
    code: Secret
    scope: str
    event: AuditEvent
    """The audit row as it stands before the decision: refused."""
    fingerprint: str = ""
    """A keyed hash of the whole request; empty where it is not to be remembered."""
    challenged: str = ""
    """The credential that was challenged; empty for any."""
    memo: bytes = field(default=b"", repr=False)
    hides: bool = False
    """Whether the caller may not know that nothing counts: NothingCounts is raised, and nothing written."""

    def of_nobody(self) -> CodeTrial:
        """The same code where nothing is enrolled: counted, spent and remembered like one of somebody's."""
        return replace(self, scope=f"{NOBODY}{self.event.account_id}", hides=False)

    def __call__(self, snapshot: Snapshot) -> tuple[Changes, Verified]:
        """Decide; raises Conflict for a request_id of another request, Unavailable."""
        if snapshot.spent:
            fingerprint, _, text = snapshot.spent_value.partition(" ")
            if not self.fingerprint or fingerprint != self.fingerprint:
                raise Conflict(OTHER_REQUEST)
            if snapshot.limits[self.scope].barred:  # since then, whatever the verdict was
                return Changes(), Verified(Verification.LOCKED, limits.BARRED)
            return Changes(), Verified.again(text)
        nobody = self.scope.startswith(NOBODY)
        charge = charge_nobody if nobody else limits.charge_factor
        charged = charge(snapshot.limits[self.scope], snapshot.now)
        if isinstance(charged, limits.Blocked):
            locked = Verified(Verification.LOCKED, charged.reason, retry_after=charged.retry_after)
            facts = until_facts(charged.retry_after, snapshot.now)
            return self._with(charged.state, locked, Result.LOCKED, facts)
        candidates = [one for one in snapshot.credentials if self._counts(one)]
        if not candidates:
            if self.hides:
                raise NothingCounts
            nothing = Verified(Verification.NOT_ENROLLED, "no credential that policy lets count")
            return self._with(charged.state if nobody else None, nothing, Result.REFUSED)
        return self._try(candidates, charged, snapshot.now)

    def _counts(self, credential: Credential) -> bool:
        if credential.factor not in self.allowed:
            return False
        if self.challenged:
            return credential.id == self.challenged
        plugin = self.parts.factors[credential.factor].plugin
        return not (plugin.silent or plugin.last_resort or plugin.medium)

    def _try(
        self, candidates: list[Credential], charged: limits.Charged, now: float
    ) -> tuple[Changes, Verified]:
        changed: list[Credential] = []
        reason, facts = "wrong code", ""
        for credential in candidates:
            verdict = self._verify(credential, now)
            if verdict.decision is Decision.ACCEPT:
                return self._accept(charged, credential, verdict, now)
            if verdict.revoke:
                return self._revoke(charged, credential, verdict, now)
            if verdict.decision is Decision.PENDING:
                raise Unavailable(f"factor {credential.factor}", "is not decided yet; ask again in a moment")
            if verdict.state is not None:
                changed.append(replace(credential, state=verdict.state))
            reason, facts = verdict.reason or reason, verdict.facts or facts
        wrong = Verified(Verification.WRONG, reason)
        facts = f"{facts} {failure_facts(charged.state, now)}".strip()
        return self._with(charged.state, wrong, Result.REFUSED, facts, put=tuple(changed))

    def _verify(self, credential: Credential, now: float) -> Verdict:
        context = CallContext(now, now + VERIFY_SECONDS, self.parts.randomness)
        facade = self.parts.factors[credential.factor]
        return facade.verify(credential.state, self.memo, self.code.reveal(), context)

    def _revoke(
        self, charged: limits.Charged, credential: Credential, verdict: Verdict, now: float
    ) -> tuple[Changes, Verified]:
        """Take a credential away; what only a thief would show is tried on no other one."""
        wrong = Verified(Verification.WRONG, verdict.reason or "wrong code", revoked=credential)
        facts = f"{verdict.facts} {failure_facts(charged.state, now)}".strip()
        removed = (credential.id,)
        return self._with(charged.state, wrong, Result.REFUSED, facts, removed=removed, about=credential)

    def _accept(
        self, charged: limits.Charged, credential: Credential, verdict: Verdict, now: float
    ) -> tuple[Changes, Verified]:
        kept = credential.state if verdict.state is None else verdict.state
        used = replace(credential, state=kept, last_used_at=now)
        state = limits.succeed(charged.state, charged.charged_at)
        verified = Verified(
            Verification.VERIFIED, verdict.reason, credential.factor, credential.id, verdict.notice
        )
        return self._with(state, verified, Result.GRANTED, verdict.facts, put=(used,), about=used)

    def _with(
        self,
        limit: LimitState | None,
        verified: Verified,
        result: Result,
        facts: str = "",
        *,
        put: tuple[Credential, ...] = (),
        removed: tuple[str, ...] = (),
        about: Credential | None = None,
    ) -> tuple[Changes, Verified]:
        """The changes with their audit row, and with the verdict remembered."""
        factor, credential_id = (about.factor, about.id) if about is not None else ("", "")
        event = replace(
            self.event,
            result=result,
            reason=verified.reason,
            facts=facts,
            factor=factor,
            credential_id=credential_id,
        )
        value = f"{self.fingerprint} {verified.remembered()}" if self.fingerprint else ""
        changes = Changes(
            {} if limit is None else {self.scope: limit},
            put,
            removed,
            spend=bool(self.fingerprint or self.challenged),
            spent_value=value,
            events=(event,),
        )
        return changes, verified


def charge_nobody(state: LimitState, now: float) -> limits.Charged | limits.Blocked:
    """Charge an attempt where nothing is enrolled: as for an account, but the store forgets it in a month."""
    failures = sum(failure > now - limits.MEMORY for failure in state.failures)
    state = replace(state, in_a_row=failures, disabled=failures >= limits.MOST_FAILURES)
    outcome = limits.charge_factor(state, now)
    return replace(outcome, state=replace(outcome.state, in_a_row=0, disabled=False))
