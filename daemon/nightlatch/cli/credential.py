"""``nightlatch credential``: giving people a second factor, and taking it away."""

from typing import Annotated

import typer

from nightlatch.cli.connection import DEADLINE, Daemon, daemon_at
from nightlatch.cli.enrolling import Talk, confirm
from nightlatch.cli.failure import Exit, Failure, failures_told
from nightlatch.cli.options import ADMIN_SOCKET, EXITS, JsonOption, SocketOption, UserArgument, utf8
from nightlatch.cli.output import json_time, local_time, plain, print_json, print_table, say
from nightlatch.v1.admin_pb2 import (
    Account,
    Credential,
    ListCredentialsRequest,
    ListCredentialsResponse,
    RemoveCredentialRequest,
)
from nightlatch.v1.enrollment_pb2 import BeginEnrollmentRequest


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(help="Enrol, list and remove people's second factors.", no_args_is_help=True)
    group.command("enroll", epilog=EXITS)(enroll)
    group.command("list", epilog=EXITS)(list_)
    group.command("remove", epilog=EXITS)(remove)
    return group


def enroll(
    factor: Annotated[
        str,
        typer.Argument(help="The factor's name, as in the configuration.", show_default=False, callback=utf8),
    ],
    user: UserArgument,
    *,
    label: Annotated[
        str, typer.Option(help="The person's own name for it, such as phone.", callback=utf8)
    ] = "",
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Give a person a second factor: shows it once, asks for a code, and counts only when the code is right.

    With --json the first line is what to show. Then up to three codes are read
    from standard input; a wrong one prints a line, and the last line is the result.
    """
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        request = BeginEnrollmentRequest(user=user, factor=factor, label=label)
        begun = daemon.enrollment.BeginEnrollment(request, timeout=DEADLINE)
        talk = Talk(as_json)
        talk.show(begun)
        confirm(daemon, begun, talk)


def list_(user: UserArgument, *, socket: SocketOption = ADMIN_SOCKET, as_json: JsonOption = False) -> None:
    """List a person's second factors, oldest first."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        found = _credentials(daemon, user)
    if as_json:
        print_json(
            {
                "account": account_json(found.account),
                "credentials": [_json(each) for each in found.credentials],
            }
        )
    elif found.credentials:
        say(f"{account_words(found.account)}\n")
        rows = [
            (each.id, each.factor, each.label, local_time(each.create_time), local_time(each.last_use_time))
            for each in found.credentials
        ]
        print_table(("id", "factor", "label", "added", "last used"), rows)
    else:
        say(f"{account_words(found.account)} has no credential yet.")


def remove(
    user: UserArgument,
    credential_id: Annotated[
        str, typer.Argument(help="The credential's id, or enough of its beginning.", show_default=False)
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Remove one of a person's second factors."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        if as_json and not yes:
            raise Failure("With --json nothing is asked: add --yes.", Exit.WRONG_USE)
        found = _credentials(daemon, user)
        credential = _chosen(found, credential_id)
        whose = account_words(found.account)
        if not yes and not typer.confirm(f"Remove {plain(_words(credential))} of {plain(whose)}?"):
            raise Failure("Nothing was removed.", Exit.REFUSED)
        request = RemoveCredentialRequest(user=user, credential_id=credential.id)
        removed = daemon.admin.RemoveCredential(request, timeout=DEADLINE).credential
    if as_json:
        print_json({"account": account_json(found.account), "removed": _json(removed)})
    else:
        say(f"Removed {_words(removed)} of {whose}.")


def account_words(account: Account) -> str:
    """An account for people: "alice (corp)"."""
    return f"{account.name} ({account.directory})"


def account_json(account: Account) -> dict[str, str]:
    """An account for programs."""
    return {"directory": account.directory, "stable_id": account.stable_id, "name": account.name}


def _credentials(daemon: Daemon, user: str) -> ListCredentialsResponse:
    return daemon.admin.ListCredentials(ListCredentialsRequest(user=user), timeout=DEADLINE)


def _chosen(found: ListCredentialsResponse, beginning: str) -> Credential:
    """The one credential whose id is, or begins with, what was typed."""
    matching = [each for each in found.credentials if beginning and each.id.startswith(beginning)]
    exact = [each for each in matching if each.id == beginning]
    whose = account_words(found.account)
    if not matching:
        raise Failure(
            f"{whose} has no credential {beginning}. See: nightlatch credential list",
            Exit.REFUSED,
            "NOT_FOUND",
        )
    if len(exact or matching) > 1:
        raise Failure(
            f"{whose} has {len(matching)} credentials that begin with {beginning}. Give more of the id.",
            Exit.WRONG_USE,
        )
    return (exact or matching)[0]


def _words(credential: Credential) -> str:
    return f'"{credential.label}" ({credential.factor}, added {local_time(credential.create_time)})'


def _json(credential: Credential) -> dict[str, str | None]:
    return {
        "id": credential.id,
        "factor": credential.factor,
        "label": credential.label,
        "create_time": json_time(credential.create_time),
        "last_use_time": json_time(credential.last_use_time),
    }
