"""What the daemon tells of its own work: for metrics, traces and access logs.

MUST 1: watching decides nothing: whoever watches changes no result and raises nothing.
MUST 2: nobody is named: no user, address, code, ticket or text of a caller is told, but for a service's name,
        which whoever keeps it has to bound (LEK-01).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from types import TracebackType


class Activity(Enum):
    """What takes time, and is part of a call."""

    STEP = "login step"
    DIRECTORY = "directory call"
    DECISION = "store decision"
    MESSAGE = "message"


class Kind(Enum):
    """What comes to an end with a verdict about a person."""

    LOGIN = "login"
    VERIFICATION = "verification"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a login or a verification ended."""

    kind: Kind
    outcome: str
    """A verdict's value: "granted", "refused", "locked", "unavailable"; "verified", "wrong" …"""
    cause: str
    """What it failed by: "password", "factor", "restricted", "messages", "directory", "store"; or empty."""
    factor: str
    """Whose proof was looked at last; empty for none."""
    service: str
    """As the caller named it."""


class Timing(Protocol):
    """The time of one activity, from entering to leaving; an exception tells how it went."""

    result: str
    """How it went, where no exception tells."""

    def __enter__(self) -> Self:
        """It begins."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None, /
    ) -> None:
        """It is over."""


class Watcher(Protocol):
    """Whoever keeps what is told. Quick: it is asked in the middle of every login."""

    def during(self, activity: Activity, name: str, call: str = "") -> Timing:
        """Time an activity; `name` and `call` come from the configuration or the code, never from callers."""

    def about(self, reference: str) -> None:
        """The call under way belongs to the login of this reference."""

    def ended(self, ending: Ending) -> None:
        """A login or a verification has ended."""

    def proof(self, factor: str, result: str) -> None:
        """A proof of a factor was decided."""

    def blocked(self, limit: str) -> None:
        """The limiter has turned something away: "password", "factor", "messages"."""


class _Untimed:
    """Measures nothing."""

    result = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class NoWatcher:
    """Keeps nothing."""

    def __init__(self) -> None:
        self._untimed = _Untimed()

    def during(self, _activity: Activity, _name: str, _call: str = "") -> Timing:
        """Measure nothing."""
        return self._untimed

    def about(self, reference: str) -> None:
        """Keep nothing."""

    def ended(self, ending: Ending) -> None:
        """Keep nothing."""

    def proof(self, factor: str, result: str) -> None:
        """Keep nothing."""

    def blocked(self, limit: str) -> None:
        """Keep nothing."""

    def committed(self, decisions: int, seconds: float) -> None:
        """Keep nothing."""
