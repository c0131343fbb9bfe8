"""``nightlatch admin receipts``: the keys that sign receipts, and how the next one takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nightlatch.cli.connection import DEADLINE, daemon_at
from nightlatch.cli.failure import failures_told
from nightlatch.cli.options import ADMIN_SOCKET, EXITS, JsonOption, SocketOption, YesOption
from nightlatch.cli.output import json_time, local_end, local_time, print_facts, print_json, say
from nightlatch.cli.question import consent
from nightlatch.v1.admin_pb2 import GetReceiptKeysRequest, RotateReceiptKeysRequest

if TYPE_CHECKING:
    from nightlatch.v1.admin_pb2 import ReceiptKeys

_QUESTION = (
    "The key that signs now is published no more. Receipts of the last 5 minutes, and those of daemons that"
    " hear of it some seconds later, are refused by whoever has the new key set. Go on?"
)
_AFTER_A_LEAK = (
    "Whoever keeps a key set takes receipts by the old key until asking again: nightlatch.client for 16"
    " minutes at most. Restart what must not, and give the new set to those who have it in a file."
)


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(help="The keys that sign receipts.", no_args_is_help=True)
    group.command("show", epilog=EXITS)(show)
    group.command("rotate", epilog=EXITS)(rotate)
    return group


def show(*, socket: SocketOption = ADMIN_SOCKET, as_json: JsonOption = False) -> None:
    """Show which key signs, which is next, and until when the one before is published."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        answer = daemon.admin.GetReceiptKeys(GetReceiptKeysRequest(), timeout=DEADLINE)
    _tell(answer.keys, as_json=as_json)


def rotate(
    *,
    at_once: Annotated[
        bool,
        typer.Option(
            "--at-once", help="The key may be in other hands: withdraw it now, not after 7 minutes."
        ),
    ] = False,
    yes: YesOption = False,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Let the next key sign. No receipt fails: it was published before, and the one before stays so."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        if at_once:
            consent(_QUESTION, yes=yes, as_json=as_json, unchanged="Nothing was changed.")
        answer = daemon.admin.RotateReceiptKeys(RotateReceiptKeysRequest(at_once=at_once), timeout=DEADLINE)
    _tell(answer.keys, as_json=as_json)
    if at_once and not as_json:
        say(f"\n{_AFTER_A_LEAK}")


def _tell(keys: ReceiptKeys, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "current_key_id": keys.current_key_id,
                "current_since_time": json_time(keys.current_since_time),
                "next_key_id": keys.next_key_id,
                "next_ready_time": json_time(keys.next_ready_time),
                "previous_key_id": keys.previous_key_id or None,
                "previous_end_time": json_time(keys.previous_end_time),
            }
        )
        return
    since = local_time(keys.current_since_time) if keys.HasField("current_since_time") else "the beginning"
    ready = (
        f"from {local_end(keys.next_ready_time)} on" if keys.HasField("next_ready_time") else "at any time"
    )
    before = f"{keys.previous_key_id}, published until {local_end(keys.previous_end_time)}"
    print_facts(
        (
            ("signs", f"{keys.current_key_id}, since {since}"),
            ("next", f"{keys.next_key_id}, {ready}"),
            ("before", before if keys.previous_key_id else "none is published"),
        )
    )
