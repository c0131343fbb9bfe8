"""``nightlatch admin``: what helps a person who can not log in."""

import typer

from nightlatch.cli.connection import DEADLINE, daemon_at
from nightlatch.cli.failure import failures_told
from nightlatch.cli.listing import account_json, account_words
from nightlatch.cli.options import ADMIN_SOCKET, EXITS, JsonOption, SocketOption, UserArgument
from nightlatch.cli.output import print_json, say
from nightlatch.v1.admin_pb2 import UnlockAccountRequest


def commands() -> typer.Typer:
    """The group."""
    users = typer.Typer(help="People.", no_args_is_help=True)
    users.command("unlock", epilog=EXITS)(unlock)
    group = typer.Typer(help="Help people who can not log in.", no_args_is_help=True)
    group.add_typer(users, name="user")
    return group


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
