"""Times of the week in which a rule holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from nightlatch.policy.model import Applies, Finding

if TYPE_CHECKING:
    from nightlatch.policy.model import LoginFacts

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Window:
    """From a minute of a day to another. It goes over midnight where the end is not behind the start."""

    days: frozenset[int]
    """The days on which it begins, 0 for Monday."""
    start: int
    """Minutes after midnight."""
    end: int
    """Minutes after midnight, not included; 1440 for the end of the day."""

    def holds(self, day: int, minute: int) -> bool:
        """Whether it is open then."""
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        return (day in self.days and minute >= self.start) or (
            (day - 1) % 7 in self.days and minute < self.end
        )


@dataclass(frozen=True, slots=True)
class Windows:
    """Logins at some times, by the clock of one time zone (IANA's name)."""

    windows: tuple[Window, ...]
    zone: str
    words: str
    """The windows as they are written in the configuration."""

    def judge(self, facts: LoginFacts) -> Finding:
        """Whether it is one of the times now; UNKNOWN where the question is about any time."""
        if facts.any_time:
            return Finding(Applies.UNKNOWN, f"it depends on the time: {self.words}")
        local = datetime.fromtimestamp(facts.now, ZoneInfo(self.zone))
        minute = local.hour * 60 + local.minute
        inside = any(window.holds(local.weekday(), minute) for window in self.windows)
        return Finding(Applies.YES if inside else Applies.NO, lambda: self._said(local, inside))

    def _said(self, local: datetime, inside: bool) -> str:  # noqa: FBT001 - the two ends of one sentence
        at = f"{DAYS[local.weekday()]} {local:%H:%M} {self.zone}"
        return f"{at} is {'within' if inside else 'not within'} {self.words}"
