"""A trusted device in the hands of its owner, with the state that the daemon keeps of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from nightlatch.factor import Decision, Enrollment, EnrollmentRequest, Subject, Verdict
from nightlatch.plugins.facade import CallContext
from nightlatch.testing import Repeatable
from nightlatch_trusted_device.factor import build
from nightlatch_trusted_device.settings import TrustedDeviceSettings

NOW = 1_700_000_000.0
DAY = 86_400.0


def enrolled(
    *evidence: str, seed: str = "device", now: float = NOW, expires_at: float | None = NOW + 30 * DAY
) -> Enrollment:
    """What enrolling after a login with this evidence gives."""
    request = EnrollmentRequest("Trusted device", evidence=evidence, expires_at=expires_at)
    context = CallContext(now, now + 10, Repeatable(seed))
    return build(TrustedDeviceSettings()).enroll(Subject("alice", "corp"), request, context)


def judged(state: bytes, evidence: str, now: float, seed: str = "login") -> Verdict:
    """The verdict on one piece of evidence."""
    context = CallContext(now, now + 10, Repeatable(f"{seed}{now}"))
    return build(TrustedDeviceSettings()).verify(state, b"", evidence, context)


@dataclass(frozen=True, slots=True)
class Device:
    """One enrolled device: `evidence` is what its owner sends next."""

    state: bytes = field(repr=False)
    evidence: str = field(repr=False)
    last: Verdict | None = None

    @classmethod
    def enrolled(cls, *evidence: str, seed: str = "device", days: float = 30) -> Device:
        """A new one, for so many days."""
        made = enrolled(*evidence, seed=seed, expires_at=NOW + days * DAY)
        return cls(made.state, f"token:{made.token}" if made.token else evidence[0])

    def shows(self, now: float, evidence: str | None = None) -> Device:
        """After a login with its own evidence, or with other: what came is kept, as an honest caller does."""
        verdict = judged(self.state, self.evidence if evidence is None else evidence, now)
        state = self.state if verdict.state is None else verdict.state
        token = f"token:{verdict.token}" if verdict.token else self.evidence
        return replace(self, state=state, evidence=token, last=verdict)

    @property
    def accepted(self) -> bool:
        """Whether the last login was spared the prompt."""
        return self.last is not None and self.last.decision is Decision.ACCEPT

    @property
    def revoked(self) -> bool:
        """Whether the last login had the device revoked."""
        return self.last is not None and self.last.decision is Decision.REJECT and self.last.revoke

    @property
    def reason(self) -> str:
        """What the audit says of the last login."""
        return self.last.reason if self.last is not None else ""
