"""What the webhook needs of a store: the audit in its order, and a mark of how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.model import AuditRow


@dataclass(frozen=True, slots=True)
class AuditChoice:
    """Which rows are passed on elsewhere: those of which any of this is true."""

    names: tuple[str, ...]
    """Whole names of events."""
    beginnings: tuple[str, ...]
    """What the names of events begin with."""
    granted_by: tuple[str, ...] = ()
    """Factors: what they granted."""


@dataclass(frozen=True, slots=True)
class AuditStretch:
    """How the rows behind some number lie. Where two daemons write, a number may be missing for a moment."""

    whole: int
    """Up to this number none is missing."""
    last: int
    """The last of those that were looked at."""
    oldest: int
    """The oldest that the audit still has; 0 for none."""


class AuditFeed(Protocol):
    """The audit for whoever passes it on elsewhere. All raise `Unavailable`."""

    async def newest(self) -> int:
        """The number of the newest row; 0 where there is none."""

    async def stretch(self, after: int, most: int) -> AuditStretch:
        """How the next `most` rows behind the one of this number lie."""

    async def rows(self, choice: AuditChoice, after: int, upto: int, most: int) -> tuple[AuditRow, ...]:
        """The first `most` chosen rows between two numbers, without the one and with the other, in order."""

    async def mark(self, name: str, change: Callable[[str], str | None]) -> str:
        """Change the text kept under a name, under its lock; None leaves it. What it is then."""
