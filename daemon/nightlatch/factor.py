"""The contract of a factor: a kind of second proof, such as codes from an authenticator app.

A plugin imports this module and nothing else of nightlatch. It declares its factors from the hook
`nightlatch_factors` (see `hookimpl`), each as a `FactorPlugin`.

A factor is pure: it gets plain values and returns plain values. It stores nothing, reads no clock
and draws no randomness but through `Context`. The daemon keeps a credential's state, seals it, and
writes the new state in the transaction that records the decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

import pluggy
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Callable

hookimpl = pluggy.HookimplMarker("nightlatch")
"""Marks a plugin's hook: ``@hookimpl def nightlatch_factors() -> list[FactorPlugin]``."""


class Settings(BaseModel):
    """The root of a factor's settings, the table ``[factors.NAME]``: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Context(Protocol):
    """What a factor may know of the world. Times are Unix seconds."""

    @property
    def now(self) -> float:
        """The time of this call."""

    @property
    def deadline(self) -> float:
        """When the daemon stops waiting; what comes later counts as unavailable."""

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes from the system's cryptographic source."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a credential belongs to, for the words that people see."""

    name: str
    """The account's name in its directory."""
    directory: str
    """The directory's name in the configuration."""


@dataclass(frozen=True, slots=True)
class EnrollmentRequest:
    """What the person chose for a new credential."""

    label: str
    """The person's own name for it, never empty."""


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A credential that is not confirmed yet, and what to show once."""

    state: bytes = field(repr=False)
    """The credential's state, at most 4096 bytes; sealed by the daemon, given back to `Factor.verify`."""
    qr_payload: str = field(default="", repr=False)
    """Text for a QR code, empty for none."""
    details: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """The same for typing by hand: (name, value), in order."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is asked of the person."""

    prompt: str | None
    """Words without an end ("Code from your authenticator app"); None for a factor that asks nothing."""
    echo: bool = True
    """Whether what is typed may be seen."""
    memo: bytes = field(default=b"", repr=False)
    """What `Factor.verify` needs of this challenge, at most 1024 bytes; sealed in the login's ticket."""


class Decision(Enum):
    """A factor's answer. Anything that is not exactly one of these is a denial."""

    ACCEPT = "accept"
    REJECT = "reject"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one proof."""

    decision: Decision
    state: bytes | None = field(default=None, repr=False)
    """The credential's new state, stored with the decision; None when it did not change."""
    reason: str = ""
    """For the audit, without secrets: "wrong code", "code used before"."""


class Factor(Protocol):
    """One kind of second proof. Three methods, and no fourth."""

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:
        """Make a new credential. It counts only after `challenge` and `verify` accepted an answer."""

    async def challenge(self, subject: Subject, state: bytes, context: Context) -> Challenge:
        """Ask. May take until `context.deadline`."""

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:
        """Decide. Pure, and quick: it runs while the store's transaction waits."""


@dataclass(frozen=True, slots=True)
class FactorPlugin:
    """A factor as a plugin declares it."""

    name: str
    """The factor's name in configuration and audit: lower case letters, digits, underscores."""
    title: str
    """The factor's name for people ("Authenticator app")."""
    settings: type[Settings]
    """The model of its table in the configuration."""
    build: Callable[[Settings], Factor]
    """Makes the factor from its checked settings; called once, at start."""
