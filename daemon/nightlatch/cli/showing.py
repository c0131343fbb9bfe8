"""Shows a new credential once: a code to scan and words to type, or codes to print.

MUST 1: what is shown goes to standard output, and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from nightlatch.cli.output import console, plain
from nightlatch.cli.qr import draw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from nightlatch.v1.enrollment_pb2 import BeginEnrollmentResponse, Detail

NARROWEST = 80
"""Columns that a QR code may use where the output is no terminal."""
ROOM_FOR_DETAILS = 52
"""Columns beside a QR code that are enough for a secret in groups of four."""
_DIGITS = "0123456789"


def show_to_people(shown: BeginEnrollmentResponse) -> None:
    """Show what is shown once. There may be nothing to show: a code that was sent is only asked for."""
    if not shown.qr_payload and not shown.details:
        return
    screen = console()
    width = screen.width if screen.is_terminal else NARROWEST
    coloured = screen.is_terminal and screen.color_system is not None and not screen.no_color
    drawable = bool(shown.qr_payload) and screen.encoding.startswith("utf")
    code = draw(shown.qr_payload, width, coloured=coloured) if drawable else None
    screen.print(_page(shown, code, width))


def _page(shown: BeginEnrollmentResponse, code: Text | None, width: int) -> RenderableType:
    """The details beside the code where there is room for them, under it elsewhere."""
    words = Group(Text(_heading(shown, code, width)), Padding(_details(shown), (0, 0, 1, 2), expand=False))
    if code is None:
        return words
    columns = code.plain.index("\n")
    if columns + 2 + ROOM_FOR_DETAILS > width:
        return Group(code, Text(""), words)
    page = Table.grid(padding=(0, 2, 0, 0))
    page.add_column(no_wrap=True, width=columns)
    page.add_column(vertical="middle")
    page.add_row(code, words)
    return page


def _heading(shown: BeginEnrollmentResponse, code: Text | None, width: int) -> str:
    if code is not None:
        return "Scan this, or type it in:"
    if shown.qr_payload:
        return (
            f"The QR code needs UTF-8 and more than {width} columns. Type this in, or begin again elsewhere:"
        )
    if shown.credential_id:
        return "Print this or write it down now. It is not shown again:"
    return "What you need:"


def _details(shown: BeginEnrollmentResponse) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    numbered = _is_a_series(shown.details)
    table.add_column(no_wrap=True, justify="right" if numbered else "left")
    table.add_column(overflow="fold")
    for number, detail in enumerate(shown.details, 1):
        table.add_row(Text(str(number) if numbered else plain(detail.name)), Text(plain(detail.value)))
    return table


def _is_a_series(details: Iterable[Detail]) -> bool:
    """Whether the names say no more than a number does: "code 1", "code 2"."""
    names = [detail.name for detail in details]
    return len(names) > 1 and len({name.rstrip(_DIGITS) for name in names}) == 1
