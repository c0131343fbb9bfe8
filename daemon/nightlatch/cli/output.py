"""What commands print: tables and sentences for people, JSON for programs.

MUST 1: text that came from somewhere else can not move the cursor, set a title or change a colour.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.timestamp_pb2 import Timestamp

WIDTH_OF_A_FILE = 160
"""Columns where the output is no terminal, so that nothing useful is folded."""


def plain(text: str) -> str:
    """Text without control characters, but with its line ends (AUD-02, PAM-12)."""
    return "".join(
        char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def console() -> Console:
    """The terminal, or the file in its place. Colour only on a terminal, never where NO_COLOR is set."""
    width = None if sys.stdout.isatty() else WIDTH_OF_A_FILE
    return Console(highlight=False, markup=False, emoji=False, width=width)


def say(text: str) -> None:
    """Print a sentence."""
    console().print(Text(plain(text)), soft_wrap=True)


def print_json(value: object) -> None:
    """Print one JSON value on one line, at once: a program may wait for it."""
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()


def print_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], marks: dict[str, str] | None = None
) -> None:
    """Print rows under a header. `marks` gives the words of the first column that have a colour."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        style = (marks or {}).get(row[0], "")
        table.add_row(Text(plain(row[0]), style=style), *(Text(plain(cell)) for cell in row[1:]))
    console().print(table)


def print_facts(rows: Iterable[Sequence[str]]) -> None:
    """Print rows without a header, each with what it is about in front."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    console().print(table)


def local_time(timestamp: Timestamp) -> str:
    """A time as people here read it, "2026-03-01 14:02"; "never" for none."""
    if not timestamp.seconds:
        return "never"
    return timestamp.ToDatetime(tzinfo=UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def local_end(timestamp: Timestamp) -> str:
    """The minute at whose beginning something is over for sure, "2026-03-01 14:03"; empty for none."""
    return local_time(type(timestamp)(seconds=-(-timestamp.seconds // 60) * 60)) if timestamp.seconds else ""


def json_time(timestamp: Timestamp) -> str | None:
    """A time for programs, RFC 3339 in UTC; None for none."""
    return timestamp.ToJsonString() if timestamp.seconds else None
