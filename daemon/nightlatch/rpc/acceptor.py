"""Takes connections on a listener's unix socket, and asks the kernel who they are.

MUST 1: a peer whose uid is not allowed gets no byte through.
MUST 2: listen(2) is never called on a socket that was given: the kernel would name the daemon's user as the
        listener, where callers look for root's (SO_PEERCRED, unix(7)). asyncio's own servers call it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from nightlatch.rpc.caller import Caller
from nightlatch.rpc.passing import Passage, Route
from nightlatch.rpc.rights import OF_A_SOCKET, NotAdmitted, Rights

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ACCEPT_PAUSE = 0.1
"""Seconds before the next try when a connection could not be taken."""
_CREDENTIALS = struct.Struct("3i")


def peer_uid(connection: socket.socket) -> int:
    """The uid that connected, by the kernel's word (SO_PEERCRED, unix(7))."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(data)[1])


class Intake:
    """Takes connections from a listening socket until it is stopped."""

    def __init__(self, route: Route, taken: Callable[[socket.socket], Awaitable[None]]) -> None:
        self._route = route
        self._taken = taken
        self._listening: socket.socket | None = None
        self._taking: asyncio.Task[None] | None = None

    async def serve(self, listening: socket.socket) -> None:
        """Begin, without calling listen(2) again (MUST 2)."""
        listening.settimeout(0)
        self._listening = listening
        self._taking = asyncio.get_running_loop().create_task(self._take(listening))

    async def _take(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
                await self._taken(connection)
            except OSError as error:  # no descriptor left, or the caller went away in the queue
                self._route.log.warning(
                    "listener.accept_failed", listener=self._route.listener, error=error.strerror
                )
                await asyncio.sleep(ACCEPT_PAUSE)

    async def stop(self) -> None:
        """Take no more."""
        if self._taking is not None:
            self._taking.cancel()
            await asyncio.gather(self._taking, return_exceptions=True)
        if self._listening is not None:
            self._listening.close()


class Acceptor:
    """A unix socket's door. `serve` starts it, `stop` closes it for newcomers, `close` ends what is left."""

    def __init__(
        self,
        route: Route,
        allow_uids: frozenset[int] | None,
        rights: Rights | Callable[[int], Rights] = OF_A_SOCKET,
    ) -> None:
        """`allow_uids` is None for everybody; their rights then say how many connections one may have.

        `rights` may depend on the uid; it is asked for each new connection, and for all by `judge`.
        """
        self._allow_uids = allow_uids
        self._rights = rights
        self._kind = route.listener
        self._passage = Passage(route, self._admit)
        self._intake = Intake(route, self._taken)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._passage.fronts)

    async def serve(self, listening: socket.socket) -> None:
        """Take connections from a listening socket."""
        await self._intake.serve(listening)

    async def stop(self) -> None:
        """Take no new connections; the ones there are go on."""
        await self._intake.stop()

    def close(self) -> None:
        """End every connection that is left."""
        self._passage.close()

    def judge(self) -> None:
        """Give the connections that are open the rights that their users have by now."""
        for front in tuple(self._passage.fronts):
            if front.transport is not None and not front.transport.is_closing():
                front.change(self._caller(peer_uid(front.transport.get_extra_info("socket"))))

    async def _taken(self, connection: socket.socket) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(self._passage.front, connection)

    def _caller(self, uid: int) -> Caller:
        rights = self._rights(uid) if callable(self._rights) else self._rights
        return Caller(self._kind, f"uid={uid}", rights)

    def _admit(self, transport: asyncio.Transport) -> Caller:
        uid = peer_uid(transport.get_extra_info("socket"))
        if self._allow_uids is not None and uid not in self._allow_uids:
            raise NotAdmitted(f"uid {uid} may not call here")
        caller = self._caller(uid)
        rights = caller.rights
        if rights.connections is not None:
            there = sum(1 for front in self._passage.fronts if front.caller == caller)
            if there >= rights.connections:
                raise NotAdmitted(f"uid {uid} has {there} connections already")
        return caller
