"""Shows how many people or rows have been read, while a stream comes in: on a terminal, on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Piece(Protocol):
    """A message that says how many people have been read."""

    @property
    def read(self) -> int:
        """So many, in all."""


P = TypeVar("P", bound=Piece)


class Part(Protocol):
    """A message that says how many rows of how many have been verified."""

    @property
    def rows(self) -> int:
        """So many, in all."""

    @property
    def expected(self) -> int:
        """Of at least so many."""


V = TypeVar("V", bound=Part)


def while_verifying(parts: Iterable[V], *, quiet: bool) -> Iterator[V]:
    """The parts as they come, with a bar beside them; none where `quiet`, or where nobody would see it."""
    with _bar("verifying rows", "{task.completed:.0f} of {task.total:.0f}", quiet=quiet) as bar:
        task = bar.add_task("", total=1)
        for part in parts:
            bar.update(task, completed=part.rows, total=max(part.expected, part.rows, 1))
            yield part


def while_reading(pieces: Iterable[P], *, quiet: bool) -> Iterator[P]:
    """The pieces as they come, with a bar beside them; none where `quiet`, or where nobody would see it."""
    with _bar("reading people", "{task.completed:.0f}", quiet=quiet) as bar:
        task = bar.add_task("", total=None)  # nobody knows how many there are before they are read
        for piece in pieces:
            bar.update(task, completed=piece.read)
            yield piece


def _bar(doing: str, count: str, *, quiet: bool) -> Progress:
    return Progress(
        TextColumn(doing),
        BarColumn(pulse_style="cyan"),
        TextColumn(count),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )
