"""What a client answers with: frozen values, and nothing that looks like a yes by accident.

MUST 1: a result is true of nothing but what its name says: there is no `bool(result)`.
MUST 2: secrets are in no repr.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from datetime import datetime


class _Ambiguous:
    """Refuses to be a condition: `if client.verify_code(…)` would let everybody in."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError(f"Ask a {type(self).__name__} for what it says, such as its `verified` or `granted`.")


class Verification(Enum):
    """What a code was worth."""

    VERIFIED = "verified"
    WRONG = "wrong"
    """Wrong, used before, or too old."""
    LOCKED = "locked"
    """Too many attempts: nothing was checked."""
    NOT_ENROLLED = "not enrolled"
    """Nothing is enrolled that counts here. Only applications that may know are told; others see WRONG."""


@dataclass(frozen=True, slots=True)
class CodeResult(_Ambiguous):
    """What a code was worth."""

    verification: Verification
    factor: str = ""
    """The factor that was right; empty where none was."""
    user: str = ""
    """The account's name in its directory; set where the code was right."""
    retry_after: int = 0
    """When locked: seconds until the next attempt is looked at; 0 when only an administrator helps."""
    locked_until: datetime | None = None
    """The same as a time (UTC); None when not locked, and when only an administrator helps."""
    message: str = ""
    """Words for the person; may be empty."""
    reference: str = ""
    """This attempt in the daemon's log and audit."""
    receipt: str = field(default="", repr=False)
    """The signed statement, where it was asked for."""
    ticket: bytes = field(default=b"", repr=False)
    """After a wrong answer to a sent code: the ticket for another answer to it; empty after the last."""

    @property
    def verified(self) -> bool:
        """Whether the code was right. The only value that lets anyone in."""
        return self.verification is Verification.VERIFIED

    @property
    def locked(self) -> bool:
        """Whether there were too many attempts, and nothing was checked."""
        return self.verification is Verification.LOCKED


@dataclass(frozen=True, slots=True)
class SentCode(_Ambiguous):
    """A code that is on its way."""

    ticket: bytes = field(repr=False)
    """For `verify_code`, with the code; for 300 seconds and one answer. A wrong one brings the next."""
    prompt: str
    """What to ask the person."""


@dataclass(frozen=True, slots=True)
class DeviceResult(_Ambiguous):
    """Whether a device is trusted."""

    trusted: bool
    device_token: str = field(default="", repr=False)
    """To keep in place of the one that was shown; empty when that one stays."""
    receipt: str = field(default="", repr=False)
    reference: str = ""


class PromptKind(Enum):
    """What a prompt asks for."""

    PASSWORD = "password"  # noqa: S105, a kind, not a password
    CODE = "code"
    CHOICE = "choice"
    """The number of one of the choices that the text lists."""
    ENROLLMENT = "enrollment"
    """Something that belongs to setting up a second step. Only the person can answer it."""
    OTHER = "other"
    """Something newer than this client: show the text, and send what the person types."""


@dataclass(frozen=True, slots=True)
class Prompt(_Ambiguous):
    """A question for the person."""

    kind: PromptKind
    text: str
    echo: bool
    """Whether what is typed may be seen."""
    ticket: bytes = field(repr=False)
    """The login's sealed state, good for 300 seconds, one answer and this application."""
    qr_payload: str = field(default="", repr=False)
    """Text for a QR code to show above the question, for who asked to draw it. A secret."""
    details: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Names and values to show above the question, for who draws. Secrets."""


@dataclass(frozen=True, slots=True)
class Wait(_Ambiguous):
    """A pause: wait so many seconds, then answer with nothing."""

    text: str
    seconds: int
    ticket: bytes = field(repr=False)


class Verdict(Enum):
    """How a login ended."""

    GRANTED = "granted"
    REFUSED = "refused"
    LOCKED = "locked"
    UNAVAILABLE = "unavailable"
    """The daemon could not decide. Says nothing about the person."""


@dataclass(frozen=True, slots=True)
class LoginResult(_Ambiguous):
    """The end of a login."""

    verdict: Verdict
    user: str = ""
    """The account's name in its directory; set with a grant."""
    message: str = ""
    """Words for the person; may be empty."""
    reference: str = ""
    """The login in the daemon's log and audit."""
    retry_after: int = 0
    """When locked: seconds until the next attempt; 0 when only an administrator helps."""
    locked_until: datetime | None = None
    """The same as a time (UTC)."""
    device_token: str = field(default="", repr=False)
    """To keep for this person's device, and to show at the next login; empty when there is nothing new."""
    factor: str = ""
    """The factor that was shown; set with a grant, and empty where policy asked for none."""
    receipt: str = field(default="", repr=False)
    """With a grant: the signed statement of who showed what, for `check_receipt`; good for 300 seconds."""

    @property
    def granted(self) -> bool:
        """Whether the person is in. The only value that lets anyone in."""
        return self.verdict is Verdict.GRANTED

    @property
    def locked(self) -> bool:
        """Whether there were too many attempts, and nothing was checked."""
        return self.verdict is Verdict.LOCKED


Step = Prompt | Wait | LoginResult
"""What a login does next."""


@dataclass(frozen=True, slots=True)
class Receipt(_Ambiguous):
    """What a receipt states, once its signature, its audience and its end were found right."""

    account: str
    """Directory and stable id: the same person for ever, whatever they are called."""
    user: str
    service: str
    factor: str
    issued_at: datetime
    expires_at: datetime
    id: str
    """Of this one receipt: who must not take one twice keeps it until `expires_at`."""
