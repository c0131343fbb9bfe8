"""A problem of the configuration, and how people read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.config.locate import Place, dotted, line_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one setting."""

    place: Place
    """The setting; empty for the file as a whole."""
    message: str
    """What is wrong; what to do instead in the lines after the first. Without the value of a secret."""


def in_the_file(path: Path, lines: dict[Place, int], problems: Iterable[Problem]) -> tuple[str, ...]:
    """Problems as texts, in the order of the file, each with its line and with what to do under it."""
    found = sorted(
        {(line_of(lines, problem.place), problem) for problem in problems}, key=lambda pair: pair[0]
    )
    return tuple(_text(f"{path}:{line}", problem) for line, problem in found)


def about_the_file(path: Path, message: str, position: str = "") -> str:
    """A problem of the file as a whole; `position` is ":3:14" or nothing."""
    return _text(f"{path}{position}", Problem((), message))


def _text(where: str, problem: Problem) -> str:
    first, *remedy = problem.message.splitlines()
    name = f"{dotted(problem.place)}: " if problem.place else ""
    indent = " " * (len(where) + 2)
    return "\n".join([f"{where}  {name}{first}", *(f"{indent}{line}" for line in remedy)])
