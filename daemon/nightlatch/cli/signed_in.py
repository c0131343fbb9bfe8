"""What the commands of ``nightlatch account`` have in common: their options, and the person's session."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from nightlatch.cli.enrolling import show_and_confirm
from nightlatch.cli.failure import Exit, Failure
from nightlatch.cli.kept_session import KeptSession, runtime_folder
from nightlatch.cli.options import text_argument, utf8
from nightlatch.cli.own_session import OwnSession, account_at
from nightlatch.v1 import account_pb2
from nightlatch.v1.enrollment_pb2 import BeginEnrollmentResponse

ACCOUNT_SOCKET = Path("/run/nightlatch/account.sock")
SocketOption = Annotated[
    Path, typer.Option("--socket", help="The daemon's account socket.", dir_okay=False, show_default=True)
]
UserOption = Annotated[
    str,
    typer.Option("--user", "-u", help="Your name; left out, the one you are logged in by.", callback=utf8),
]
NoSessionOption = Annotated[
    bool,
    typer.Option("--no-session", help="Sign in now, and keep no session for the next 15 minutes."),
]
OwnArgument = Annotated[str, text_argument("Its id, or enough of its beginning.")]


@contextmanager
def own_session(socket: Path, user: str, *, no_session: bool) -> Iterator[OwnSession]:
    """The person's session at a socket; raises Failure."""
    name = user or login_name()
    with account_at(socket) as service:
        kept = KeptSession(socket, name, None if no_session else runtime_folder())
        session = OwnSession(service, name, kept)
        yield session
        if no_session:
            session.end()


def login_name() -> str:
    """The name that this process runs by; raises Failure where it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise Failure("You have no login name here. Give one with --user.", Exit.WRONG_USE) from None


def account_of(own: OwnSession) -> account_pb2.GetAccountResponse:
    """The account."""
    return own.call(own.service.GetAccount, account_pb2.GetAccountRequest())


def confirm_new(own: OwnSession, begun: BeginEnrollmentResponse, done: str = "") -> None:
    """Show what was made, and store it when its answer is right; raises Failure."""

    def send(answer: bytes) -> str:
        return own.call(
            own.service.ConfirmAdd, account_pb2.ConfirmAddRequest(ticket=begun.ticket, answer=answer)
        ).credential_id

    show_and_confirm(begun, send, done=done)
