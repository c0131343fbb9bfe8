"""The session of an administrator who has signed in: kept in their runtime folder, taken up by commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from nightlatch.cli.kept_session import KeptSession, runtime_folder
from nightlatch.v1.admin_session_pb2 import ResumeSessionRequest
from nightlatch.v1.admin_session_pb2_grpc import AdminSessionServiceStub

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "nightlatch-admin-session"
_DEADLINE = 15.0


def kept_at(socket: Path) -> KeptSession:
    """Where the session of one daemon is kept."""
    return KeptSession(socket, "", runtime_folder(), _NAME)


def resume(channel: grpc.Channel, socket: Path) -> None:
    """Take up the session that is kept, if there is one; one that has ended is forgotten."""
    kept = kept_at(socket)
    session = kept.read()
    if not session:
        return
    try:
        AdminSessionServiceStub(channel).ResumeSession(
            ResumeSessionRequest(session=session), timeout=_DEADLINE
        )
    except grpc.RpcError as error:
        if error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
            raise
        kept.forget()  # what follows is done without it, or refused
