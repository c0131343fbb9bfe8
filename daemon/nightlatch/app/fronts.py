"""The daemon's listeners, and which services each one has: what a listener serves is what it may do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nightlatch.app.status import status_of
from nightlatch.rpc.admin import AdminService
from nightlatch.rpc.caller import CallerAddresses
from nightlatch.rpc.enrollment import EnrollmentService
from nightlatch.rpc.listener import Listener
from nightlatch.rpc.login import LoginService
from nightlatch.rpc.sockets import make_socket
from nightlatch.v1 import admin_pb2, admin_pb2_grpc, enrollment_pb2_grpc, login_pb2_grpc

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from nightlatch.app.core import Core, World


class Fronts:
    """The listeners `pam` and `admin`, in front of whatever core is current."""

    def __init__(self, core: Callable[[], Core], world: World) -> None:
        self._core = core
        self._log = world.log
        self._started_at = world.clock.now()
        self._store = world.store
        addresses = CallerAddresses(world.randomness.bytes(16).hex())
        login = LoginService(lambda: core().engine, addresses, world.log)
        enrollment = EnrollmentService(
            lambda: core().enrollments, lambda: core().removals, addresses, world.log
        )
        admin = AdminService(lambda: core().administration, self._status, addresses, world.log)
        runtime_dir = core().config.daemon.runtime_dir
        self._listeners = {
            "pam": Listener(
                "pam",
                {
                    "nightlatch.v1.LoginService": lambda server: (
                        login_pb2_grpc.add_LoginServiceServicer_to_server(login, server)
                    )
                },
                runtime_dir,
                addresses,
                world.log,
            ),
            "admin": Listener(
                "admin",
                {
                    "nightlatch.v1.AdminService": lambda server: (
                        admin_pb2_grpc.add_AdminServiceServicer_to_server(admin, server)
                    ),
                    "nightlatch.v1.EnrollmentService": lambda server: (
                        enrollment_pb2_grpc.add_EnrollmentServiceServicer_to_server(enrollment, server)
                    ),
                },
                runtime_dir,
                addresses,
                world.log,
            ),
        }

    async def start(self, passed: dict[str, socket.socket]) -> None:
        """Serve on the sockets that systemd passed, and on new ones for the others; raises ConfigError."""
        settings = self._core().config.listeners
        for name, wanted in (("pam", settings.pam), ("admin", settings.admin)):
            listening = passed.get(name) or make_socket(wanted.socket, f"listeners.{name}.socket")
            await self._listeners[name].start(listening, frozenset(wanted.allow_uids))
            self._log.info("listener.ready", listener=name, socket=str(wanted.socket), passed=name in passed)

    async def stop(self, grace: float) -> None:
        """Take nothing new, and let what is under way finish for `grace` seconds."""
        await asyncio.gather(*(listener.stop(grace) for listener in self._listeners.values()))

    async def _status(self) -> admin_pb2.GetStatusResponse:
        return await status_of(self._core(), self._store, self._started_at)
