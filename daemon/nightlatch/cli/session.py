"""``nightlatch session``: who is signed in to their own account just now."""

from typing import Annotated

import typer

from nightlatch.cli.connection import DEADLINE, daemon_at
from nightlatch.cli.failure import Exit, Failure, failures_told
from nightlatch.cli.listing import account_json, account_words
from nightlatch.cli.options import (
    ADMIN_SOCKET,
    EXITS,
    JsonOption,
    SessionArgument,
    SocketOption,
    UserArgument,
)
from nightlatch.cli.output import json_time, local_time, print_json, print_table, say
from nightlatch.v1.user_pb2 import EndSessionsRequest, ListSessionsRequest


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(no_args_is_help=True)
    group.command("list", epilog=EXITS)(list_)
    group.command("end", epilog=EXITS)(end)
    return group


def list_(user: UserArgument, *, socket: SocketOption = ADMIN_SOCKET, as_json: JsonOption = False) -> None:
    """List a person's open sessions."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        found = daemon.users.ListSessions(ListSessionsRequest(user=user), timeout=DEADLINE)
    if as_json:
        listed = [{"id": one.id, "expire_time": json_time(one.expire_time)} for one in found.sessions]
        print_json({"account": account_json(found.account), "sessions": listed})
    elif found.sessions:
        say(f"{account_words(found.account)}\n")
        print_table(("id", "until"), [(one.id, local_time(one.expire_time)) for one in found.sessions])
    else:
        say(f"{account_words(found.account)} has no open session.")


def end(
    user: UserArgument,
    session_id: SessionArgument = "",
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of the person's sessions.")] = False,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """End one session of a person, or all."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        if bool(session_id) is everything:
            raise Failure("Give either the id of one session, or --all.", Exit.WRONG_USE)
        request = EndSessionsRequest(user=user, session_id=session_id)
        ended = daemon.users.EndSessions(request, timeout=DEADLINE)
    if as_json:
        print_json({"account": account_json(ended.account), "ended": ended.ended})
    else:
        count = "1 session" if ended.ended == 1 else f"{ended.ended} sessions"
        say(f"Ended {count} of {account_words(ended.account)}.")
