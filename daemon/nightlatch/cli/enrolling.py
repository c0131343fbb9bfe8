"""The talk with a person who enrols: show once, ask for an answer, count it only when it was right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.cli.connection import DEADLINE
from nightlatch.cli.output import print_json, say
from nightlatch.cli.question import Question
from nightlatch.cli.showing import show_to_people
from nightlatch.v1.enrollment_pb2 import ConfirmEnrollmentRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.cli.connection import Daemon
    from nightlatch.v1.enrollment_pb2 import BeginEnrollmentResponse

_UNCHANGED = "Nothing was stored."
_CLOCK = "Check that the clock of the phone is right, remove the new entry from it, and enrol again."
_AGAIN = "Enrol again for a new code."


def enrol(daemon: Daemon, begun: BeginEnrollmentResponse, *, as_json: bool) -> None:
    """Show what the daemon made, and let the person prove it where that can be; raises Failure."""

    def send(answer: bytes) -> str:
        request = ConfirmEnrollmentRequest(ticket=begun.ticket, answer=answer)
        return daemon.enrollment.ConfirmEnrollment(request, timeout=DEADLINE).credential_id

    show_and_confirm(begun, send, as_json=as_json)


def show_and_confirm(
    begun: BeginEnrollmentResponse, send: Callable[[bytes], str], *, as_json: bool = False, done: str = ""
) -> None:
    """Show what was made, and `send` the answer that proves it; raises Failure. `done`: other last words."""
    if as_json:
        details = [{"name": detail.name, "value": detail.value} for detail in begun.details]
        print_json({"qr_payload": begun.qr_payload, "details": details, "prompt": begun.prompt})
    else:
        show_to_people(begun)
    counts_already = bool(begun.credential_id) and not begun.ticket
    credential_id = begun.credential_id if counts_already else _confirm(begun, send, as_json=as_json)
    if as_json:
        print_json({"confirmed": True, "credential_id": credential_id})
    elif done:
        say(done)
    elif counts_already:
        say(f"Done. It counts from now on. (credential {credential_id})")
    else:
        say(f"Done. From now on this is asked at login. (credential {credential_id})")


def _confirm(begun: BeginEnrollmentResponse, send: Callable[[bytes], str], *, as_json: bool) -> str:
    question = Question(
        begun.prompt,
        unchanged=_UNCHANGED,
        as_json=as_json,
        wrong="That code was not right.",
        after_last=f"{_UNCHANGED} {_CLOCK if begun.qr_payload else _AGAIN}",
    )
    return question.until_right(send)
