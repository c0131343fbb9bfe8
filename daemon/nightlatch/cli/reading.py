"""Shows how many people have been read, while a stream comes in: on a terminal, and on standard error."""

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


def while_reading(pieces: Iterable[P], *, quiet: bool) -> Iterator[P]:
    """The pieces as they come, with a bar beside them; none where `quiet`, or where nobody would see it."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("reading people"),
        BarColumn(pulse_style="cyan"),
        TextColumn("{task.completed:.0f}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=None)  # nobody knows how many there are before they are read
        for piece in pieces:
            bar.update(task, completed=piece.read)
            yield piece
