"""What a login is asked with, and what it answers."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from nightlatch.errors import Invalid

if TYPE_CHECKING:
    from nightlatch.model import Account

MAX_NAME = 256
MAX_SERVICE = 64
MAX_EVIDENCE = 8
MAX_PIECE = 4104
"""4096 characters behind the kind of evidence."""


def plain_text(what: str, text: str, least: int, most: int) -> None:
    """Raise Invalid for text of another length, or with control characters or line breaks."""
    if not least <= len(text) <= most:
        raise Invalid(f"{what} must have {least} to {most} characters, not {len(text)}")
    # What is printable has none of these, and is told so without a look at each letter.
    if not text.isprintable() and any(
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text
    ):
        raise Invalid(f"{what} must not have control characters or line breaks")


class Primary(Enum):
    """Who checks the first factor."""

    PASSWORD = "password"  # noqa: S105, the word, not a secret
    ESTABLISHED = "established"


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """A login as its caller describes it. Raises Invalid for what no real login has (IDN-05, AUD-02)."""

    user: str
    service: str
    source: str
    terminal: str
    primary: Primary
    evidence: tuple[str, ...] = field(default=(), repr=False)
    """What may stand for the device: "token:…" or "ssh:TYPE BASE64"."""
    keeps_token: bool = False
    """Whether the caller can keep a secret for the device."""
    draws_qr: bool = False
    """Whether the caller draws QR codes and shows details itself."""

    def __post_init__(self) -> None:
        if len(self.evidence) > MAX_EVIDENCE or any(len(one) > MAX_PIECE for one in self.evidence):
            raise Invalid(f"there may be {MAX_EVIDENCE} pieces of evidence of {MAX_PIECE} characters at most")
        for what, text, least, most in (
            ("user", self.user, 1, MAX_NAME),
            ("service", self.service, 1, MAX_SERVICE),
            ("origin.remote_host", self.source, 0, MAX_NAME),
            ("origin.terminal", self.terminal, 0, MAX_NAME),
        ):
            plain_text(what, text, least, most)


class PromptKind(Enum):
    """What a prompt asks for."""

    PASSWORD = "password"  # noqa: S105, the word, not a secret
    CODE = "code"
    CHOICE = "choice"
    ENROLLMENT = "enrollment"
    """Something that belongs to setting up a second step."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Ask the person."""

    kind: PromptKind
    text: str = field(repr=False)
    """There may be a new credential's secret in it."""
    echo: bool
    ticket: bytes = field(repr=False)
    qr_payload: str = field(default="", repr=False)
    """For a caller that draws it; then the text has neither this nor the details."""
    details: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait, then answer with nothing."""

    text: str
    seconds: int
    ticket: bytes = field(repr=False)


class Verdict(Enum):
    """How a login ended. Only GRANTED lets anyone in."""

    GRANTED = "granted"
    REFUSED = "refused"
    LOCKED = "locked"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Grant:
    """Who was let in, and where."""

    account: Account
    service: str
    source: str = ""
    """Where from, as far as that is known."""
    credential_id: str = ""
    """What was shown; empty where policy asked for nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a login."""

    verdict: Verdict
    message: str
    reference: str
    user: str = ""
    retry_after: float = 0.0
    device_token: str = field(default="", repr=False)
    factor: str = ""
    """The factor that was shown; set with a grant, empty where policy asked for none."""
    grant: Grant | None = None
    """With a grant: whose, for what."""


Step = Prompt | Wait | Outcome
