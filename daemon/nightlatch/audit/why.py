"""One sentence for each refusal: what it was, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.audit.facts import facts_of
from nightlatch.model import Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.model import AuditEvent

REFUSALS = (Result.REFUSED, Result.LOCKED, Result.UNAVAILABLE)
"""The results that keep somebody out."""
CONSEQUENCE = "account.lock"
"""The event of a lock that a refusal led to; the refusal says so already."""
_WITHOUT_REASON = {
    Result.GRANTED: "let in",
    Result.PASSED: "right",
    Result.REFUSED: "refused, and no reason was written",
    Result.LOCKED: "locked",
    Result.UNAVAILABLE: "a part of nightlatch was not available",
    Result.CHANGED: "changed",
}


def sentence(event: AuditEvent, local_time: Callable[[float], str]) -> str:
    """Why it went as it did; `local_time` writes a time as people here read it."""
    reason = event.reason or _WITHOUT_REASON[event.result]
    facts = facts_of(event.facts)
    if event.result is Result.LOCKED:
        return f"{_locked(facts, local_time)}: {reason}"
    if event.result is Result.REFUSED and "failures" in facts:
        return f"{reason} ({_counted(facts)})"
    if event.event == "login.exempt":
        return f"no second factor asked, rule {reason}"
    if event.event == "login.observed":
        return f"under observation, rule {reason}"
    return reason


def _locked(facts: dict[str, int], local_time: Callable[[float], str]) -> str:
    if "until" in facts:
        return f"locked until {local_time(facts['until'])}"
    if "pause" in facts:
        return f"paused for {_duration(facts['pause'])}"
    return "locked until an administrator unlocks it"


def _counted(facts: dict[str, int]) -> str:
    failures, free = facts["failures"], facts.get("free", 0)
    if failures <= free:
        return f"{failures} of {free} before a pause"
    if facts.get("disabled"):
        return f"failure {failures} in a row: now disabled"
    if "pause" in facts:
        return f"failure {failures} in a row: a pause of {_duration(facts['pause'])}"
    return f"failure {failures} in a row"


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return " ".join([f"{minutes} min"] * bool(minutes) + [f"{rest} s"] * bool(rest or not minutes))
