"""``nightlatch admin user``: how a person stands, and what keeps them out or lets them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nightlatch.cli.connection import DEADLINE, daemon_at
from nightlatch.cli.failure import failures_told
from nightlatch.cli.listing import account_json, account_words
from nightlatch.cli.options import (
    ADMIN_SOCKET,
    EXITS,
    JsonOption,
    SocketOption,
    UserArgument,
    YesOption,
    utf8,
)
from nightlatch.cli.output import json_time, local_time, print_json, say
from nightlatch.cli.question import consent
from nightlatch.cli.user_view import tell_user, user_json
from nightlatch.v1.admin_pb2 import UnlockAccountRequest
from nightlatch.v1.user_pb2 import DisableUserRequest, EnableUserRequest, GetUserRequest

if TYPE_CHECKING:
    from nightlatch.v1.user_pb2 import GetUserResponse


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(help="People.", no_args_is_help=True)
    group.command("show", epilog=EXITS)(show)
    group.command("unlock", epilog=EXITS)(unlock)
    group.command("disable", epilog=EXITS)(disable)
    group.command("enable", epilog=EXITS)(enable)
    return group


def show(
    user: UserArgument,
    *,
    service: Annotated[
        str, typer.Option(help="The service that policy is asked about.", callback=utf8)
    ] = "sshd",
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Show how a person stands: credentials, failures, locks, grace, invite, and what policy demands."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        found: GetUserResponse = daemon.users.GetUser(
            GetUserRequest(user=user, service=service), timeout=DEADLINE
        )
    if as_json:
        print_json(user_json(found, service))
    else:
        tell_user(found, service)


def unlock(user: UserArgument, *, socket: SocketOption = ADMIN_SOCKET, as_json: JsonOption = False) -> None:
    """Forget a person's failures, so that their second factor may be tried again."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        answer = daemon.admin.UnlockAccount(UnlockAccountRequest(user=user), timeout=DEADLINE)
    if as_json:
        print_json({"account": account_json(answer.account), "forgotten_failures": answer.forgotten_failures})
    else:
        count = answer.forgotten_failures
        failures = "1 failure" if count == 1 else f"{count} failures"
        say(f"{account_words(answer.account)} may try again: {failures} in a row forgotten.")


def disable(
    user: UserArgument,
    *,
    reason: Annotated[
        str, typer.Option(help="Why, for the audit. The person does not read it.", callback=utf8)
    ] = "",
    yes: YesOption = False,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Keep a person out of every login, whatever they show, until they are enabled again."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        found = daemon.users.GetUser(GetUserRequest(user=user), timeout=DEADLINE)
        question = f"Keep {account_words(found.account)} out of every login?"
        consent(question, yes=yes, as_json=as_json, unchanged="Nothing was changed.")
        request = DisableUserRequest(user=user, reason=reason)
        answer = daemon.users.DisableUser(request, timeout=DEADLINE)
    if as_json:
        print_json({"account": account_json(answer.account), "disable_time": json_time(answer.disable_time)})
    else:
        say(f"{account_words(answer.account)} is disabled since {local_time(answer.disable_time)}.")
        say("Sessions in their own account have ended. Shells that are open go on: end them where they are.")


def enable(user: UserArgument, *, socket: SocketOption = ADMIN_SOCKET, as_json: JsonOption = False) -> None:
    """Let a disabled person sign in again. Failures and locks stay as they were."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        answer = daemon.users.EnableUser(EnableUserRequest(user=user), timeout=DEADLINE)
    if as_json:
        print_json({"account": account_json(answer.account), "was_disabled": answer.was_disabled})
    elif answer.was_disabled:
        say(f"{account_words(answer.account)} may sign in again.")
    else:
        say(f"{account_words(answer.account)} was not disabled.")
