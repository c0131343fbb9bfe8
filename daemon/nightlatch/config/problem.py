"""A problem of the configuration, and how people read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.config.locate import Place, dotted, line_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LONGEST_LINE = 70
"""Characters of a message that are not broken after the first sentence."""
_END_OF_SENTENCE = re.compile(r"(?<=[.?!]) (?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one setting."""

    place: Place
    """The setting; empty for the file as a whole."""
    message: str
    """What is wrong, then what to do instead. Without the value of a secret."""


def in_the_file(path: Path, lines: dict[Place, int], problems: Iterable[Problem]) -> tuple[str, ...]:
    """Problems as texts, in the order of the file, each with its line and with what to do under it."""
    found = sorted({(line_of(lines, each.place), dotted(each.place), each.message) for each in problems})
    return tuple(_text(f"{path}:{line}", name, message) for line, name, message in found)


def about_the_file(path: Path, message: str, position: str = "") -> str:
    """A problem of the file as a whole; `position` is ":3:14" or nothing."""
    return _text(f"{path}{position}", "", message)


def _text(where: str, name: str, message: str) -> str:
    first, *remedy = _lines(message)
    indent = " " * (len(where) + 2)
    return "\n".join(
        [f"{where}  {name}{': ' if name else ''}{first}", *(f"{indent}{line}" for line in remedy)]
    )


def _lines(message: str) -> list[str]:
    """What is wrong on one line, what to do under it; a short message stays whole."""
    if "\n" in message or len(message) <= LONGEST_LINE:
        return message.splitlines()
    return _END_OF_SENTENCE.split(message, maxsplit=1)
