"""A listener: an acceptor in front, and a gRPC server of its own behind it.

Each listener has its own set of services, so that what it serves is what it may do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from nightlatch.rpc.acceptor import Acceptor

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import structlog

    from nightlatch.rpc.caller import CallerAddresses

    Registration = Callable[[grpc.aio.Server], None]

_OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 1024),
    ("grpc.max_metadata_size", 16 * 1024),
    ("grpc.max_concurrent_streams", 256),
    ("grpc.so_reuseport", 0),
)


class Listener:
    """Serves some services, by full name, to the uids that may call them."""

    def __init__(
        self,
        name: str,
        services: Mapping[str, Registration],
        runtime_dir: Path,
        addresses: CallerAddresses,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self.name = name
        self._inner = str(runtime_dir / f"{name}.inner")
        self._addresses = addresses
        self._log = log
        self._services = services
        self._health = HealthServicer()
        self._server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=4096)
        self._acceptor: Acceptor | None = None

    async def start(self, listening: socket.socket, allow_uids: frozenset[int]) -> None:
        """Serve what comes in on `listening`."""
        for register in self._services.values():
            register(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (*self._services, "grpc.health.v1.Health", reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)
        for name in ("", *self._services):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self._server.add_insecure_port(f"unix:{self._inner}")
        await self._server.start()
        self._acceptor = Acceptor(self.name, allow_uids, self._inner, self._addresses, self._log)
        await self._acceptor.serve(listening)

    async def stop(self, grace: float) -> None:
        """Take nothing new, let what is under way finish for `grace` seconds, then end."""
        await self._health.enter_graceful_shutdown()
        if self._acceptor is not None:
            await self._acceptor.stop()
        await self._server.stop(grace)
        if self._acceptor is not None:
            self._acceptor.close()
