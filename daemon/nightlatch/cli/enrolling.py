"""The talk with a person who enrols: show once, ask for an answer, count it only when it was right.

MUST 1: what is shown goes to standard output, what is typed goes to the daemon, and neither anywhere else.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from nightlatch.cli.connection import DEADLINE
from nightlatch.cli.failure import Exit, Failure
from nightlatch.cli.output import console, plain, print_json, say
from nightlatch.cli.qr import draw
from nightlatch.v1.enrollment_pb2 import ConfirmEnrollmentRequest

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from nightlatch.cli.connection import Daemon
    from nightlatch.v1.enrollment_pb2 import BeginEnrollmentResponse

TRIES = 3
NARROWEST = 80
"""Columns that a QR code may use where the output is no terminal."""
ROOM_FOR_DETAILS = 52
"""Columns beside a QR code that are enough for a secret in groups of four."""


@dataclass(frozen=True, slots=True)
class Talk:
    """How to show an enrolment and to ask for its answer."""

    as_json: bool

    def show(self, shown: BeginEnrollmentResponse) -> None:
        """Show what is shown once."""
        if self.as_json:
            details = [{"name": detail.name, "value": detail.value} for detail in shown.details]
            print_json({"qr_payload": shown.qr_payload, "details": details, "prompt": shown.prompt})
        else:
            _show_to_people(console(), shown)

    def ask(self, prompt: str) -> bytes:
        """One line from standard input; raises Failure where it has ended."""
        if not self.as_json:
            sys.stdout.write(f"{plain(prompt).rstrip(' :')}: ")
            sys.stdout.flush()
        line = sys.stdin.buffer.readline()
        if not line:
            raise Failure("No answer came. Nothing was stored.", Exit.REFUSED)
        return line.strip()

    def wrong(self, details: str, left: int) -> None:
        """Say that an answer was not right."""
        if self.as_json:
            print_json({"confirmed": False, "message": details, "tries_left": left})
        else:
            say(f"{details} {left} more {'try' if left == 1 else 'tries'}.")

    def confirmed(self, credential_id: str) -> None:
        """Say that it counts now."""
        if self.as_json:
            print_json({"confirmed": True, "credential_id": credential_id})
        else:
            say(f"Done. From now on this is asked at login. (credential {credential_id})")


def confirm(daemon: Daemon, begun: BeginEnrollmentResponse, talk: Talk) -> None:
    """Ask until an answer is right, at most three times; raises Failure where none was."""
    for left in reversed(range(TRIES)):
        request = ConfirmEnrollmentRequest(ticket=begun.ticket, answer=talk.ask(begun.prompt))
        try:
            stored = daemon.enrollment.ConfirmEnrollment(request, timeout=DEADLINE)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.PERMISSION_DENIED:
                raise
            if left:
                talk.wrong("That code was not right.", left)
        else:
            talk.confirmed(stored.credential_id)
            return
    raise Failure(
        "That code was not right. Nothing was stored. Check that the clock of the phone is right, "
        "remove the new entry from it, and enrol again.",
        Exit.REFUSED,
        grpc.StatusCode.PERMISSION_DENIED.name,
    )


def _show_to_people(screen: Console, shown: BeginEnrollmentResponse) -> None:
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
    return "What you need:"


def _details(shown: BeginEnrollmentResponse) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for detail in shown.details:
        table.add_row(Text(plain(detail.name)), Text(plain(detail.value)))
    return table
