"""How much longer a person without a credential is let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nightlatch.model import Standing
    from nightlatch.policy.model import Requirement

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Grace:
    """What is left. With both limits, what ends first ends it."""

    logins: int | None
    """How many logins; None where they are not counted."""
    until: float | None
    """Until when, in Unix seconds; None where there is no end in days."""


def grace_left(requirement: Requirement, standing: Standing, now: float) -> Grace | None:
    """The grace that a requirement leaves to an account; None where there is none, or no more of it."""
    days, logins = requirement.grace_days, requirement.grace_logins
    if not (days or logins):
        return None
    started = now if standing.grace_started_at is None else standing.grace_started_at
    left = logins - standing.grace_logins if logins else None
    until = started + days * DAY if days else None
    if (left is not None and left <= 0) or (until is not None and now >= until):
        return None
    return Grace(left, until)
