"""The words around a sent code, and the reading of what is typed back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nightlatch.factor import Message

if TYPE_CHECKING:
    from nightlatch.factor import SendingContext, Subject

ENROLLMENT_TEMPLATE = "enrollment_code"
SECONDS_A_MINUTE = 60
_WISHES = frozenset({"r", "resend"})
_DIGITS = re.compile(r"[0-9](?:[ -]?[0-9])*")


def wishes_another(answer: str) -> bool:
    """Whether the person asked for another message."""
    return answer.isascii() and answer.strip(" ").lower() in _WISHES


def typed_digits(answer: str, most: int) -> str | None:
    """The digits in what a person typed, or None: ASCII only, with one blank or dash between two of them."""
    if len(answer) >= 2 * most or _DIGITS.fullmatch(answer) is None:
        return None
    return answer.replace(" ", "").replace("-", "")


def minutes_left(seconds: float) -> int:
    """Whole minutes, never more than are left but for the last one."""
    return max(1, int(seconds // SECONDS_A_MINUTE))


def in_minutes(count: int) -> str:
    """A count with its word: "1 minute", "5 minutes"."""
    return f"{count} minute" if count == 1 else f"{count} minutes"


def in_seconds(count: int) -> str:
    """A count with its word: "1 second", "12 seconds"."""
    return f"{count} second" if count == 1 else f"{count} seconds"


def way_to_another(context: SendingContext) -> str:
    """How to get another message, where that can be answered."""
    return " (r to send again)" if context.dialogue else ""


def message(template: str, code: str, minutes: int, subject: Subject, context: SendingContext) -> Message:
    """The message for a code. Where nothing is signed in to, the code is for an enrolment."""
    values = {"code": code, "minutes": str(minutes), "user": _printable(subject.name)}
    if not context.service:
        return Message(ENROLLMENT_TEMPLATE, values)
    return Message(template, {**values, "service": _printable(context.service)})


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
