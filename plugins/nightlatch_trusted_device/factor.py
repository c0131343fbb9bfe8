"""The factor: a device is known by its SSH key, or by a secret that changes with its use.

MUST 1: three lines accept: the key whose fingerprint was enrolled; the secret that is good now; and the one
        before, for `GRACE_SECONDS`. All come after the time was found to be within the trust.
MUST 2: trust ends at a time that was fixed when it was given. Use does not prolong it, and what was once
        found ended stays so when the clock goes back.
MUST 3: another secret of this device is a copy's: the device is revoked. Only who has held a token of it
        knows its 128 random bits of id, and being revoked costs its owner one prompt, so that nothing is
        gained by sending wrong secrets on purpose.
MUST 4: secrets, fingerprints and ids are compared in constant time.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from nightlatch.factor import Challenge, Decision, Enrollment, Verdict
from nightlatch_trusted_device.device_token import ID_BYTES, SECRET_BYTES, DeviceToken, read_token
from nightlatch_trusted_device.settings import TrustedDeviceSettings
from nightlatch_trusted_device.ssh_key import SshKey, read_key
from nightlatch_trusted_device.state import DeviceState, KeyState, TokenState, Trust, decode

if TYPE_CHECKING:
    from nightlatch.factor import Context, EnrollmentRequest, SendingContext, Settings, Subject

GRACE_SECONDS: Final = 10.0
"""How long the secret before is still taken, for logins at the same time and for answers that got lost.

In this time the secret does not change again, so that there is never more than one secret before.
"""
MOST_SECONDS: Final = 3650 * 86_400.0
"""The longest trust, whatever is asked for."""
CLOCK_SLACK_SECONDS: Final = 600.0
"""How far behind a device's last change the clock may be: daemons differ by seconds, a set clock by more."""
ENDED: Final = 0.0
"""The end of a trust that was seen to have ended, so that a clock set back does not bring it to life."""
_TOKEN: Final = "token:"  # noqa: S105, the word before a token in evidence
_KEY: Final = "ssh:"


class TrustedDeviceFactor:
    """Devices that a person vouched for."""

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:  # noqa: ARG002, the contract's signature
        """Trust the login's SSH key; where there is none, make a token for the caller to keep."""
        trust = Trust(context.now, _end(request.expires_at, context.now))
        if any(piece.startswith(_KEY) for piece in request.evidence):
            key = _first_key(request.evidence)
            if key is None:
                raise ValueError("This device can not be trusted: its SSH key is of a kind not known here.")
            return Enrollment(KeyState(trust, key.fingerprint).encode(), label=f"SSH key {key.short_name}")
        token = DeviceToken(context.random_bytes(ID_BYTES), context.random_bytes(SECRET_BYTES))
        state = TokenState(trust, token.device, token.digest)
        day = datetime.fromtimestamp(context.now, UTC).date()
        return Enrollment(state.encode(), label=f"since {day}", token=token.text())

    async def challenge(self, subject: Subject, state: bytes, context: SendingContext) -> Challenge:  # noqa: ARG002, the contract's signature
        """Nothing is asked: the evidence came with the login."""
        return Challenge(prompt=None)

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:  # noqa: ARG002, the contract's signature
        """Judge one piece of evidence; raises ValueError for a state not ours."""
        device = decode(state)
        ended = _out_of_time(device, context.now)
        if ended is not None:
            return ended
        if isinstance(device, KeyState):
            return _judge_key(device, answer)
        return _judge_token(device, answer, context)


def build(settings: Settings) -> TrustedDeviceFactor:
    """Make the factor from its checked settings."""
    if not isinstance(settings, TrustedDeviceSettings):
        raise TypeError("the trusted device factor is built from TrustedDeviceSettings")
    return TrustedDeviceFactor()


def name_device(evidence: tuple[str, ...]) -> str:
    """How the offer names the device that would be trusted: its key, or nothing where it keeps a token."""
    key = _first_key(evidence)
    return f" (key {key.short_name})" if key is not None else ""


def _end(expires_at: float | None, now: float) -> float:
    """When a new trust ends; raises ValueError, in words for the person, when that is never or past."""
    if expires_at is None or not math.isfinite(expires_at) or not now < expires_at:
        raise ValueError("This device can not be trusted: no time was set after which that ends.")
    return min(expires_at, now + MOST_SECONDS)


def _first_key(evidence: tuple[str, ...]) -> SshKey | None:
    for piece in evidence:
        key = read_key(piece.removeprefix(_KEY)) if piece.startswith(_KEY) else None
        if key is not None:
            return key
    return None


def _out_of_time(device: DeviceState, now: float) -> Verdict | None:
    """The refusal of a device whose trust has ended, or whose clock can not be right; None for neither."""
    if not now < device.trust.until:  # put so that a time which is not a number has ended, too
        known = device.trust.until == ENDED
        state = None if known else replace(device, trust=Trust(device.trust.since, ENDED)).encode()
        return Verdict(Decision.REJECT, state, reason="the trust has ended")
    if not now >= device.changed_at - CLOCK_SLACK_SECONDS:
        return Verdict(
            Decision.REJECT, reason="this host's clock is behind the device's last change: it went back"
        )
    return None


def _judge_key(device: KeyState, answer: str) -> Verdict:
    if not answer.startswith(_KEY):
        return Verdict(Decision.REJECT, reason="no SSH key")
    key = read_key(answer.removeprefix(_KEY))
    if key is None:
        return Verdict(Decision.REJECT, reason="not an SSH key that is known here")
    if compare_digest(key.fingerprint, device.fingerprint):
        return Verdict(Decision.ACCEPT)
    return Verdict(Decision.REJECT, reason="another SSH key")


def _judge_token(device: TokenState, answer: str, context: Context) -> Verdict:
    token = read_token(answer.removeprefix(_TOKEN)) if answer.startswith(_TOKEN) else None
    if token is None:
        return Verdict(Decision.REJECT, reason="no device token")
    if not compare_digest(token.device, device.device):
        return Verdict(Decision.REJECT, reason="another device")
    fresh = abs(context.now - device.rotated_at) <= GRACE_SECONDS
    if compare_digest(token.digest, device.digest):
        return Verdict(Decision.ACCEPT) if fresh else _rotate(device, token, context)
    if fresh and compare_digest(token.digest, device.previous):
        # The caller may not have got the answer that changed the secret: it is given again, the same one.
        return Verdict(Decision.ACCEPT, token=token.successor(device.salt).text())
    return Verdict(
        Decision.REJECT, reason="an older secret of this device was used: stolen or restored", revoke=True
    )


def _rotate(device: TokenState, token: DeviceToken, context: Context) -> Verdict:
    salt = context.random_bytes(SECRET_BYTES)
    successor = token.successor(salt)
    state = device.rotated(successor, salt, context.now)
    return Verdict(Decision.ACCEPT, state.encode(), token=successor.text())
