"""The gRPC channels of one client, one to each target: made when first needed, made anew after a renewal.

MUST 1: a channel made before a fork is not used behind it: gRPC would hang.
MUST 2: a new certificate that is not right changes nothing.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

import grpc

from nightlatch.client.errors import BadCertificate, ClientError
from nightlatch.client.targets import UNIX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nightlatch.client.identity import Files

    Options = Sequence[tuple[str, int]]
    Open = Callable[[str, grpc.ChannelCredentials | None, Options], "C"]

C = TypeVar("C")

OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),  # this client's connections are its own
    ("grpc.enable_retries", 0),  # which call may be repeated is decided here
    ("grpc.enable_http_proxy", 0),  # a daemon is in the house; no proxy of the environment is asked
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.min_reconnect_backoff_ms", 2000),  # in gRPC's words: how long one connection may take
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),  # and TCP_USER_TIMEOUT: a dead network is noticed within a call
    ("grpc.client_idle_timeout_ms", 300_000),
    ("grpc.max_receive_message_length", 256 * 1024),
)


class Links(Generic[C]):
    """Channels by target. Safe to use from several threads."""

    def __init__(self, files: Files | None, open_channel: Open[C]) -> None:
        """`files` may be None where all targets are unix sockets; raises BadCertificate."""
        self._files = files
        self._open = open_channel
        self._lock = threading.Lock()
        self._channels: dict[str, C] = {}
        self._state = None if files is None else files.state()
        self._identity = None if files is None else files.read()
        self._pid = 0
        self._closed = False

    def channel(self, target: str) -> C:
        """The channel to a target; raises ClientError after `close`, and behind a fork."""
        with self._lock:
            if self._closed:
                raise ClientError("This client is closed.")
            if self._channels and self._pid != os.getpid():
                raise ClientError(
                    "This client was used before the process forked, and gRPC can not go on behind that. "
                    "Make it in each worker, or use it there first."
                )
            self._pid = os.getpid()
            if target not in self._channels:
                self._channels[target] = self._open(target, self._credentials(target), OPTIONS)
            return self._channels[target]

    def renew(self) -> None:
        """After a failed connection: if the files have changed, and are right, connect with the new ones."""
        with self._lock:
            if self._files is None or self._files.state() == self._state:
                return
            state = self._files.state()
            try:
                self._identity = self._files.read()
            except BadCertificate:
                return
            self._state = state
            # Not closed: calls of other threads may be under way there. The last of them lets go of it.
            self._channels = {name: one for name, one in self._channels.items() if name.startswith(UNIX)}

    def close(self) -> list[C]:
        """Open no more; the channels that are to be closed."""
        with self._lock:
            self._closed = True
            channels = list(self._channels.values()) if self._pid == os.getpid() else []
            self._channels = {}
            return channels

    def _credentials(self, target: str) -> grpc.ChannelCredentials | None:
        if target.startswith(UNIX) or self._identity is None:
            return None
        identity = self._identity
        return grpc.ssl_channel_credentials(identity.ca, identity.key, identity.certificate)
