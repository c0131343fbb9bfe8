"""How a command ends, and the words for it. One table maps gRPC's status codes."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import grpc
import typer

from nightlatch.cli.output import plain, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    FINE = 0
    REFUSED = 1
    WRONG_USE = 2
    UNAVAILABLE = 3


@dataclass
class Failure(Exception):
    """A command can not do what was asked."""

    message: str
    """What is wrong and what to do, for people, without secrets."""
    exit: Exit
    status: str = ""
    """gRPC's name of the status, for programs; empty where no daemon was asked."""


_EXITS = {
    grpc.StatusCode.INVALID_ARGUMENT: Exit.WRONG_USE,
    grpc.StatusCode.NOT_FOUND: Exit.REFUSED,
    grpc.StatusCode.FAILED_PRECONDITION: Exit.REFUSED,
    grpc.StatusCode.PERMISSION_DENIED: Exit.REFUSED,
    grpc.StatusCode.UNAUTHENTICATED: Exit.REFUSED,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Exit.REFUSED,
}
_WORDS = {
    grpc.StatusCode.UNAVAILABLE: "The daemon can not do this now: {details}",
    grpc.StatusCode.DEADLINE_EXCEEDED: "The daemon did not answer in time. Its log may say why.",
    grpc.StatusCode.UNIMPLEMENTED: "The daemon does not know this request: "
    "it is of another version than this command. Upgrade both to the same one.",
}


def failure_of(error: grpc.RpcError) -> Failure:
    """What a failed call means."""
    code, details = error.code(), error.details() or "it said no more."
    message = _WORDS.get(code, "{details}").format(details=details)
    return Failure(message, _EXITS.get(code, Exit.UNAVAILABLE), code.name)


@contextmanager
def failures_told(*, as_json: bool) -> Iterator[None]:
    """End the command with its exit code when it fails: words on stderr, or one JSON object on stdout."""
    try:
        yield
    except Failure as failure:
        if as_json:
            error = {"status": failure.status, "message": failure.message, "exit_code": int(failure.exit)}
            print_json({"error": error})
        else:
            sys.stderr.write(f"nightlatch: {plain(failure.message)}\n")
        raise typer.Exit(failure.exit) from None
