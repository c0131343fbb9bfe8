"""Reaches the daemon over one of its sockets.

MUST 1: nothing is sent before the socket and its folder are known to belong to root or to the caller, and
        nobody else can replace them.
MUST 2: no environment variable says where the daemon is.
MUST 3: every call has a deadline.
"""

from __future__ import annotations

import os
import socket as sockets
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import grpc

from nightlatch.cli.admin_session import resume
from nightlatch.cli.failure import Exit, Failure, failure_of
from nightlatch.v1.admin_pb2_grpc import AdminServiceStub
from nightlatch.v1.audit_pb2_grpc import AuditServiceStub
from nightlatch.v1.enrollment_pb2_grpc import EnrollmentServiceStub
from nightlatch.v1.import_pb2_grpc import ImportServiceStub
from nightlatch.v1.policy_pb2_grpc import PolicyServiceStub
from nightlatch.v1.user_pb2_grpc import UserServiceStub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEADLINE = 15.0
"""Seconds for one call: longer than the daemon's own limits for directories and store together."""
SENDING_DEADLINE = 30.0
"""Seconds for a call that may send a message: the daemon gives the provider 12 s of them."""
READING_DEADLINE = 600.0
"""Seconds for a call that reads everyone in all directories."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """The services behind the admin socket."""

    admin: AdminServiceStub
    enrollment: EnrollmentServiceStub
    policy: PolicyServiceStub
    users: UserServiceStub
    audit: AuditServiceStub
    imports: ImportServiceStub


@contextmanager
def daemon_at(socket: Path) -> Iterator[Daemon]:
    """The daemon's admin socket; raises Failure as `channel_at` does."""
    with channel_at(socket) as channel:
        resume(channel, socket)
        yield Daemon(
            AdminServiceStub(channel),
            EnrollmentServiceStub(channel),
            PolicyServiceStub(channel),
            UserServiceStub(channel),
            AuditServiceStub(channel),
            ImportServiceStub(channel),
        )


@contextmanager
def channel_at(socket: Path) -> Iterator[grpc.Channel]:
    """A connection to the daemon; raises Failure for an untrusted socket and for every failed call inside."""
    path = socket.absolute()
    _check_owner(path)
    _check_life(path)
    with grpc.insecure_channel(
        f"unix:{quote(str(path))}", options=(("grpc.enable_http_proxy", 0),)
    ) as channel:
        try:
            yield channel
        except grpc.RpcError as error:
            raise failure_of(error) from None


def _check_owner(path: Path) -> None:
    try:
        status, folder = path.lstat(), path.parent.stat()
    except FileNotFoundError:
        raise Failure(f"There is no daemon at {path}. {_START}", Exit.UNAVAILABLE) from None
    except OSError as error:
        raise Failure(f"{path} can not be reached: {error.strerror}. {_ROOT}", Exit.REFUSED) from None
    if not stat.S_ISSOCK(status.st_mode):
        raise Failure(f"{path} is no socket. Give the daemon's socket with --socket.", Exit.WRONG_USE)
    trusted = {0, os.geteuid()}
    if status.st_uid not in trusted or folder.st_uid not in trusted:
        stranger = status.st_uid if status.st_uid not in trusted else folder.st_uid
        raise Failure(
            f"{path} belongs to uid {stranger}, neither to root nor to you. {_NOTHING_SENT}", Exit.REFUSED
        )
    if folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not folder.st_mode & stat.S_ISVTX:
        raise Failure(f"Others may replace {path}: they may write its folder. {_NOTHING_SENT}", Exit.REFUSED)


def _check_life(path: Path) -> None:
    """Tell a daemon that is not there from one that can not do something now: gRPC's words do not."""
    with sockets.socket(sockets.AF_UNIX) as probe:
        probe.settimeout(DEADLINE)
        try:
            probe.connect(str(path))
        except PermissionError:
            raise Failure(f"You may not use {path}. {_ROOT}", Exit.REFUSED) from None
        except OSError:
            raise Failure(f"Nobody answers at {path}. {_START}", Exit.UNAVAILABLE) from None


_START = "Is it running? See: systemctl status nightlatchd"
_ROOT = "Run this as root."
_NOTHING_SENT = "Nothing was sent."
