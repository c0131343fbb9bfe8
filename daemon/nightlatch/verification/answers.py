"""What is asked of a verification, and what it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from nightlatch.login.step import MAX_NAME, MAX_SERVICE, plain_text

if TYPE_CHECKING:
    from nightlatch.model import Credential


class Verification(Enum):
    """What a proof was worth. Only VERIFIED lets anyone in."""

    VERIFIED = "verified"
    WRONG = "wrong"
    LOCKED = "locked"
    NOT_ENROLLED = "not enrolled"


@dataclass(frozen=True, slots=True)
class VerificationRequest:
    """Whose proof, for what. Raises Invalid for what no real request has."""

    user: str
    service: str
    source: str = ""
    request_id: str = ""
    """The caller's name for this attempt; empty where a repeated call is a second attempt."""
    may_know: bool = False
    """Whether the caller may know that somebody has nothing enrolled."""
    evidence: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        plain_text("user", self.user, 1, MAX_NAME)
        plain_text("service", self.service, 1, MAX_SERVICE)
        plain_text("origin.remote_host", self.source, 0, MAX_NAME)
        plain_text("request_id", self.request_id, 0, 128)


@dataclass(frozen=True, slots=True)
class Verified:
    """The verdict on a proof."""

    verification: Verification
    reason: str = ""
    """For the log, as the audit has it."""
    factor: str = ""
    credential_id: str = ""
    message: str = ""
    """Words for the person."""
    retry_after: float = 0.0
    device_token: str = field(default="", repr=False)
    repeated: bool = False
    """Whether this verdict was given before, to the same request."""
    revoked: Credential | None = None
    """The credential that its factor took away: only a thief would have shown this."""

    def remembered(self) -> str:
        """The verdict as text, for giving it again. Without the token: that is a secret."""
        fields = [self.verification.value, self.reason, self.factor, self.credential_id, self.message]
        return json.dumps([*fields, self.retry_after])

    @classmethod
    def again(cls, text: str) -> Verified:
        """The verdict that `remembered` has written."""
        verification, reason, factor, credential_id, message, retry_after = json.loads(text)
        return cls(
            Verification(verification),
            reason,
            factor,
            credential_id,
            message,
            float(retry_after),
            repeated=True,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict with what the caller is told beside it."""

    verified: Verified
    reference: str
    user: str = ""
    """The account's name in its directory; set with VERIFIED."""
    receipt: str = field(default="", repr=False)
    ticket: bytes = field(default=b"", repr=False)
    """After a wrong answer to a sent code: for another answer to the same code."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A code that is on its way."""

    ticket: bytes = field(repr=False)
    prompt: str
