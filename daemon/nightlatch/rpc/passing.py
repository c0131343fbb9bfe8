"""Passes the bytes of admitted connections on to a listener's inner socket, each by a connection of its own.

MUST 1: who is not admitted gets no byte through.
MUST 2: what is buffered for a slow side is bounded: the other side is paused.
MUST 3: the number of connections is bounded; one too many is closed at once.
MUST 4: who begins and resets more streams than its share of requests explains is cut off (API-03).
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from nightlatch.rpc.rights import NotAdmitted
from nightlatch.rpc.sparing import SparingLog
from nightlatch.rpc.streams import Allowance, Frames, most_frames

if TYPE_CHECKING:
    from collections.abc import Callable

    import structlog

    from nightlatch.rpc.caller import Caller, CallerAddresses

MAX_CONNECTIONS = 1024


class Side(asyncio.Protocol):
    """One end of a passed-on connection; what it reads, the other end writes."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Side | None = None

    def join(self, other: Side) -> None:
        """Be two ends of one connection; both have their transports."""
        self.other, other.other = other, self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand on what came."""
        if self.other is not None:
            self.other.write(data)

    def write(self, data: bytes) -> None:
        """Send on what the other end has read, unless this one has left."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def pause_writing(self) -> None:
        """Slow: read no more from the other side."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """No longer slow: read on."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        """A side that is half closed is closed."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002, why it ended is of no use here
        """Close the other side too."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()
        self.other = None


@dataclass(frozen=True, slots=True)
class Route:
    """Where a listener's connections go, and how gRPC hears whose they are."""

    listener: str
    inner: str
    """The path of the inner socket."""
    addresses: CallerAddresses
    log: structlog.stdlib.BoundLogger


class Passage:
    """The open connections of one listener."""

    def __init__(
        self, route: Route, admit: Callable[[asyncio.Transport], Caller], most: int = MAX_CONNECTIONS
    ) -> None:
        """`admit` says whose connection it is, or raises NotAdmitted."""
        self.route = route
        self._admit = admit
        self._most = most
        self._log = SparingLog(route.log)
        self.fronts: set[Front] = set()
        self._allowances: dict[str, Allowance] = {}

    def front(self) -> Front:
        """The end for a new connection."""
        return Front(self)

    def let_in(self, front: Front, transport: asyncio.Transport) -> Caller | None:
        """Who is at the door; None when they may not come in."""
        listener = self.route.listener
        if len(self.fronts) >= self._most:
            self._log.warning("listener.full", listener=listener, connections=len(self.fronts))
            return None
        try:
            caller = self._admit(transport)
        except NotAdmitted as error:
            peer = transport.get_extra_info("peername")
            address = peer[0] if isinstance(peer, tuple) else None
            self._log.warning("listener.refused", listener=listener, reason=str(error), address=address)
            return None
        self.fronts.add(front)
        return caller

    def affords(self, caller: Caller, frames: int) -> bool:
        """Whether a caller may begin and reset so many streams now."""
        share = caller.rights.requests_per_second
        if share is None or not frames:
            return True
        allowance = self._allowances.setdefault(str(caller), Allowance())
        if allowance.take(frames, share, asyncio.get_running_loop().time()):
            return True
        reason = f"it begins and resets more than {most_frames(share)} streams a second"
        self._log.warning("client.cut_off", client=str(caller), reason=reason)
        return False

    def forget(self, front: Front) -> None:
        """A connection has ended."""
        self.fronts.discard(front)
        if front.address:
            self.route.addresses.release(front.address)

    async def connect(self, front: Front, caller: Caller) -> None:
        """Join a front to a new connection of its own to the inner socket, then let it read."""
        loop = asyncio.get_running_loop()
        back = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            back.settimeout(0)
            front.address = self.route.addresses.bind(caller)
            back.bind(front.address)
            await loop.sock_connect(back, self.route.inner)
        except OSError as error:
            back.close()
            self._log.warning("listener.inner_away", listener=self.route.listener, error=error.strerror)
            front.abort()
            return
        side = Side()
        side.other = front  # a gRPC server speaks first: what it says may come before this goes on
        transport, _ = await loop.create_unix_connection(lambda: side, sock=back)
        if front.transport is None or front.transport.is_closing():
            transport.abort()  # the caller has left meanwhile
            self.forget(front)
        else:
            front.join(side)

    def close(self) -> None:
        """End every connection that is left."""
        for front in tuple(self.fronts):
            front.abort()


class Front(Side):
    """The end towards the caller. What comes in before the other end is there, waits here."""

    def __init__(self, passage: Passage) -> None:
        super().__init__()
        self._passage = passage
        self._early = b""
        self._frames = Frames()
        self._joining: asyncio.Task[None] | None = None
        self.caller: Caller | None = None
        self.address = b""
        """Where gRPC finds the caller; empty before there is one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        super().connection_made(transport)
        assert self.transport is not None
        self.caller = self._passage.let_in(self, self.transport)
        if self.caller is None:
            self.transport.abort()
        else:
            self._joining = asyncio.get_running_loop().create_task(self._passage.connect(self, self.caller))

    def join(self, other: Side) -> None:
        """The other end is there: hand over what has waited for it."""
        super().join(other)
        if self._early:
            other.write(self._early)
            self._early = b""
        if self.transport is not None and not self.transport.is_reading():
            self.transport.resume_reading()

    def change(self, caller: Caller) -> None:
        """The caller has other rights from now on."""
        self.caller = caller
        if self.address:
            self._passage.route.addresses.change(self.address, caller)

    def abort(self) -> None:
        """End the connection now."""
        if self.transport is not None:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Hand on what came, as far as the caller may ask so much."""
        caller = self.caller
        if caller is None or (
            caller.rights.requests_per_second is not None
            and not self._passage.affords(caller, self._frames.counted(data))
        ):
            self.abort()
        elif self.other is not None:
            self.other.write(data)
        elif self.transport is not None and self._joining is not None:
            self._early += data
            self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave nothing behind."""
        self._passage.forget(self)
        super().connection_lost(exc)
