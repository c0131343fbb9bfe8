"""A listener: a door in front, and a gRPC server of its own behind it.

Each listener has its own set of services: what it does not serve, nobody can do there.

MUST 1: what one connection may send, hold open and repeat is bounded, whoever it is (API-03).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection_pb2_grpc
from grpc_reflection.v1alpha._async import ReflectionServicer

from nightlatch.rpc.rights import HEALTH, REFLECTION

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from nightlatch.rpc.guard import Guard

    Registration = Callable[[Any], None]
    """Adds a servicer to what has grpc.aio.Server's ways to register."""

_OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 1024),
    ("grpc.max_metadata_size", 16 * 1024),
    ("grpc.absolute_max_metadata_size", 16 * 1024),
    ("grpc.max_concurrent_streams", 256),
    ("grpc.so_reuseport", 0),
)
_REMOTE_OPTIONS = (
    ("grpc.max_concurrent_streams", 100),
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
    ("grpc.max_connection_idle_ms", 15 * 60_000),
    ("grpc.max_connection_age_ms", 60 * 60_000),
    ("grpc.max_connection_age_grace_ms", 60_000),
)
"""For callers that are not on this host: those who are silent, gone or old are told to go."""
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Door(Protocol):
    """Lets connections in to a listener's inner socket."""

    @property
    def connections(self) -> int:
        """How many are open."""

    async def serve(self, listening: socket.socket) -> None:
        """Take connections."""

    async def stop(self) -> None:
        """Take no new ones."""

    def close(self) -> None:
        """End those that are left."""


class Listener:
    """Serves some services, by full name."""

    def __init__(
        self,
        name: str,
        services: Mapping[str, Registration],
        runtime_dir: Path,
        guard: Guard,
        *,
        remote: bool = False,
    ) -> None:
        self.name = name
        self.inner = str(runtime_dir / f"{name}.inner")
        """Where the door takes its connections to."""
        self._guard = guard
        self._services = services
        self._health = HealthServicer()
        options = (*dict((*_OPTIONS, *_REMOTE_OPTIONS)).items(),) if remote else _OPTIONS
        self._server = grpc.aio.server(options=options, maximum_concurrent_rpcs=4096)
        self._door: Door | None = None

    async def start(self, door: Door, listening: socket.socket) -> None:
        """Serve what the door lets in from `listening`."""
        server = self._guard.before(self._server)
        for register in self._services.values():
            register(server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = (*self._services, HEALTH.full_name, REFLECTION.full_name)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(ReflectionServicer(names), server)
        await self.tell_health(dict.fromkeys(self._services, True))
        self._server.add_insecure_port(f"unix:{self.inner}")
        await self._server.start()
        self._door = door
        await door.serve(listening)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self._door.connections if self._door is not None else 0

    async def tell_health(self, serving: Mapping[str, bool]) -> None:
        """Say by grpc.health.v1 which services work; without a name, whether all of this listener do."""
        for name in self._services:
            await self._health.set(name, SERVING if serving[name] else NOT_SERVING)
        everything = all(serving[name] for name in self._services)
        await self._health.set("", SERVING if everything else NOT_SERVING)

    async def stop(self, grace: float) -> None:
        """Take nothing new, let what is under way finish for `grace` seconds, then end."""
        await self._health.enter_graceful_shutdown()
        if self._door is not None:
            await self._door.stop()
        await self._server.stop(grace)
        if self._door is not None:
            self._door.close()
