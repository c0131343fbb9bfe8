"""Takes connections on a listener's socket, asks the kernel who they are, and passes their bytes on.

MUST 1: a peer whose uid is not allowed gets no byte through.
MUST 2: what is buffered for a slow side is bounded: the other side is paused.
MUST 3: the number of connections is bounded; one too many is closed at once.
MUST 4: listen(2) is never called on a socket that was given: the kernel would name the daemon's user as the
        listener, where callers look for root's (SO_PEERCRED, unix(7)). asyncio's own servers call it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, cast

from nightlatch.rpc.caller import Caller

if TYPE_CHECKING:
    import structlog

    from nightlatch.rpc.caller import CallerAddresses

MAX_CONNECTIONS = 1024
ACCEPT_PAUSE = 0.1
"""Seconds before the next try when a connection could not be taken."""
_CREDENTIALS = struct.Struct("3i")


def peer_uid(connection: socket.socket) -> int:
    """The uid that connected, by the kernel's word (SO_PEERCRED, unix(7))."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(data)[1])


class _Side(asyncio.Protocol):
    """One end of a passed-on connection; what it reads, the other end writes."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None

    def join(self, other: _Side) -> None:
        """Be two ends of one connection; both have their transports."""
        self.other, other.other = other, self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.write(data)

    def write(self, data: bytes) -> None:
        """Send on what the other end has read, unless this one has left."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002, why it ended is of no use here
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()
        self.other = None


class Acceptor:
    """One listener's door. `serve` starts it, `stop` closes it for newcomers, `close` ends what is left."""

    def __init__(
        self,
        name: str,
        allow_uids: frozenset[int],
        inner: str,
        addresses: CallerAddresses,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._name = name
        self._allow_uids = allow_uids
        self._inner = inner
        self._addresses = addresses
        self._log = log
        self._listening: socket.socket | None = None
        self._taking: asyncio.Task[None] | None = None
        self._fronts: set[_Front] = set()

    async def serve(self, listening: socket.socket) -> None:
        """Take connections from a listening socket, without calling listen(2) on it again (MUST 4)."""
        listening.settimeout(0)
        self._listening = listening
        self._taking = asyncio.get_running_loop().create_task(self._take(listening))

    async def _take(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
                await loop.connect_accepted_socket(lambda: _Front(self), connection)
            except OSError as error:  # no descriptor left, or the caller went away in the queue
                self._log.warning("listener.accept_failed", listener=self._name, error=error.strerror)
                await asyncio.sleep(ACCEPT_PAUSE)

    async def stop(self) -> None:
        """Take no new connections; the ones there are go on."""
        if self._taking is not None:
            self._taking.cancel()
            await asyncio.gather(self._taking, return_exceptions=True)
        if self._listening is not None:
            self._listening.close()

    def close(self) -> None:
        """End every connection that is left."""
        for front in tuple(self._fronts):
            if front.transport is not None:
                front.transport.abort()

    def admit(self, front: _Front) -> Caller | None:
        """Who is at the door; None when they may not come in."""
        if front.transport is None or len(self._fronts) >= MAX_CONNECTIONS:
            self._log.warning("listener.full", listener=self._name, connections=len(self._fronts))
            return None
        uid = peer_uid(front.transport.get_extra_info("socket"))
        if uid not in self._allow_uids:
            self._log.warning("listener.refused", listener=self._name, uid=uid)
            return None
        self._fronts.add(front)
        return Caller(self._name, uid)

    def forget(self, front: _Front) -> None:
        """A connection has ended."""
        self._fronts.discard(front)

    async def connect(self, front: _Front, caller: Caller) -> None:
        """Join a front to a new connection of its own to the inner socket, then let it read."""
        loop = asyncio.get_running_loop()
        back = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            back.settimeout(0)
            back.bind(self._addresses.bind(caller))
            await loop.sock_connect(back, self._inner)
        except OSError as error:
            back.close()
            self._log.error("listener.inner_away", listener=self._name, error=error.strerror)
            if front.transport is not None:
                front.transport.abort()
            return
        side = _Side()
        side.other = front  # a gRPC server speaks first: what it says may come before this goes on
        transport, _ = await loop.create_unix_connection(lambda: side, sock=back)
        if front.transport is None or front.transport.is_closing():
            transport.abort()  # the caller has left meanwhile
        else:
            front.join(side)


class _Front(_Side):
    """The end towards the caller. What comes in before the other end is there, waits here."""

    def __init__(self, acceptor: Acceptor) -> None:
        super().__init__()
        self._acceptor = acceptor
        self._early = b""
        self._joining: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport is not None
        caller = self._acceptor.admit(self)
        if caller is None:
            self.transport.abort()
        else:
            self._joining = asyncio.get_running_loop().create_task(self._acceptor.connect(self, caller))

    def join(self, other: _Side) -> None:
        """The other end is there: hand over what has waited for it."""
        super().join(other)
        if self._early:
            other.write(self._early)
            self._early = b""
        if self.transport is not None and not self.transport.is_reading():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self.other is not None:
            self.other.write(data)
        elif self.transport is not None and self._joining is not None:
            self._early += data
            self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._acceptor.forget(self)
        super().connection_lost(exc)
