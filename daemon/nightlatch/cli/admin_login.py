"""``nightlatch admin login`` and ``logout``: administering as somebody, with two steps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import grpc

from nightlatch.cli.admin_session import kept_at
from nightlatch.cli.connection import DEADLINE, SENDING_DEADLINE, channel_at
from nightlatch.cli.conversation import converse
from nightlatch.cli.failure import Failure, failures_told
from nightlatch.cli.options import ADMIN_SOCKET, SocketOption, UserArgument
from nightlatch.cli.output import say
from nightlatch.cli.own_session import reason_of
from nightlatch.v1.admin_session_pb2 import (
    AnswerSignInRequest,
    AnswerSignInResponse,
    BeginSignInRequest,
    SignOutRequest,
)
from nightlatch.v1.admin_session_pb2_grpc import AdminSessionServiceStub

if TYPE_CHECKING:
    from pathlib import Path

    from nightlatch.v1.login_pb2 import Step

MINUTES = 15


def login(user: UserArgument, *, socket: SocketOption = ADMIN_SOCKET) -> None:
    """Sign in with two steps, and have the role of your groups for a quarter of an hour.

    The session is kept in your runtime folder (XDG_RUNTIME_DIR), and taken up by the commands that follow.
    """
    found = AnswerSignInResponse()
    with failures_told(as_json=False), channel_at(socket) as channel:
        service = AdminSessionServiceStub(channel)

        def send(ticket: bytes, answer: bytes) -> Step:
            answered = service.AnswerSignIn(
                AnswerSignInRequest(ticket=ticket, answer=answer), timeout=SENDING_DEADLINE
            )
            found.MergeFrom(answered)
            return answered.step

        step = service.BeginSignIn(BeginSignInRequest(user=user), timeout=SENDING_DEADLINE).step
        converse(step, send)
        kept = kept_at(socket)
        kept.write(found.session)
    if kept.read():
        say(f"Signed in as {user}: {found.role}, for {MINUTES} minutes.")
    else:
        say("Signed in, but there is no runtime folder of your own (XDG_RUNTIME_DIR) to keep the session in.")


def logout(*, socket: SocketOption = ADMIN_SOCKET) -> None:
    """Sign out: the session ends in the daemon, and is forgotten here, also where the daemon is away."""
    kept = kept_at(socket)
    session = kept.read()
    kept.forget()
    if not session:
        say("You were not signed in.")
        return
    with failures_told(as_json=False):
        try:
            _end(socket, session)
        except Failure as failure:
            raise replace(failure, message=f"{failure.message}\n{_STAYS_OPEN}") from None
    say("Signed out.")


def _end(socket: Path, session: bytes) -> None:
    """End a session in the daemon, unless there it has ended; raises Failure."""
    with channel_at(socket) as channel:
        try:
            AdminSessionServiceStub(channel).SignOut(SignOutRequest(session=session), timeout=DEADLINE)
        except grpc.RpcError as error:
            if reason_of(error) != "SESSION_ENDED":
                raise


_STAYS_OPEN = (
    f"The session is forgotten here. In the daemon it stays open until its {MINUTES} minutes are over.\n"
    "To end it before: nightlatch session end NAME --all"
)
