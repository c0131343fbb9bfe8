"""What a look at one thing comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works now, and may not tomorrow; or nobody can tell."""
    FAIL = "fail"
    """Somebody can not get in who should, or can who should not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    level: Level
    part: str
    """What was looked at: "clock", "pam sshd"."""
    text: str
    remedy: str = ""
    """What to do about it; empty only where nothing is wrong."""


def ok(part: str, text: str) -> Finding:
    """Nothing is wrong."""
    return Finding(Level.OK, part, text)


def warn(part: str, text: str, remedy: str) -> Finding:
    """Something to look after."""
    return Finding(Level.WARN, part, text, remedy)


def fail(part: str, text: str, remedy: str) -> Finding:
    """Something is wrong."""
    return Finding(Level.FAIL, part, text, remedy)
