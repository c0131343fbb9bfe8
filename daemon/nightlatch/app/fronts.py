"""The daemon's listeners: opened, served, watched, closed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from nightlatch.app.applications import Applications
from nightlatch.app.audit_inquiry import audit_inquiry
from nightlatch.app.health import Health
from nightlatch.app.offers import Offers
from nightlatch.app.role_rights import socket_rights
from nightlatch.app.status import status_of
from nightlatch.app.watching import Scrapes
from nightlatch.rpc.acceptor import Acceptor
from nightlatch.rpc.audit import AuditService
from nightlatch.rpc.caller import CallerAddresses
from nightlatch.rpc.guard import Guard
from nightlatch.rpc.listener import Listener
from nightlatch.rpc.passing import Route
from nightlatch.rpc.rights import OF_THE_ACCOUNT_SOCKET, OF_THE_PAM_SOCKET
from nightlatch.rpc.shield import Shield
from nightlatch.rpc.sockets import OPEN_TO_ALL, make_socket

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine, Mapping

    from nightlatch.app.core import Core
    from nightlatch.app.world import World
    from nightlatch.rpc.caller import Caller
    from nightlatch.rpc.rights import Rights
    from nightlatch.v1 import admin_pb2


class Fronts:
    """The listeners `pam`, `admin`, `account` and `applications`, in front of whatever core is current."""

    def __init__(self, core: Callable[[], Core], world: World) -> None:
        self._core = core
        self._world = world
        self._log = world.log
        worker = world.worker
        self._started_at = worker.daemon_since if worker else world.clock.now()
        runtime_dir = core().config.daemon.runtime_dir
        self._addresses = CallerAddresses(world.randomness.bytes(16).hex())
        self._watches: list[asyncio.Task[None]] = []
        self._doors: list[Acceptor] = []
        """Those of the sockets on which a user's rights may change."""
        calls = core().config.log.calls
        shield = Shield(self._addresses, self._is_administrator, world.log)
        guard = Guard(
            self._addresses, world.clock.steady, world.log, world.telemetry, logs_calls=calls, shield=shield
        )
        self._audit = AuditService(audit_inquiry(core, world), self._addresses, world.log)
        offers = Offers(core, world, self._addresses).all(self._audit, self._status)
        listeners = core().config.listeners
        optional = (("account", listeners.account), ("applications", listeners.applications))
        names = ["pam", "admin", *(name for name, wanted in optional if wanted)]
        self._listeners = {
            name: Listener(
                name,
                {one.name: one.register for one in offers if name in one.listeners},
                worker.inner_dir(runtime_dir) if worker else runtime_dir,
                guard,
                remote=name == "applications",
            )
            for name in names
        }
        self._applications = (
            Applications(core, self._route("applications"), world.clock.now)
            if "applications" in self._listeners
            else None
        )

        people = {one.name: one.for_people for one in offers}
        self._health = Health(core, world.store, people, self._tell_health, world.log)
        self._scrapes = Scrapes(core, world.telemetry, self._health, self._connections, world.clock)

    async def start(self, passed: dict[str, socket.socket]) -> None:
        """Serve on the sockets that systemd passed, and on new ones for the others; raises ConfigError."""
        settings = self._core().config.listeners
        unix = (("pam", settings.pam, OF_THE_PAM_SOCKET), ("admin", settings.admin, self._admin_rights))
        for name, wanted, rights in unix:
            listening = passed.get(name) or make_socket(wanted.socket, f"listeners.{name}.socket")
            door = Acceptor(self._route(name), frozenset(wanted.allow_uids), rights)
            self._doors.append(door)
            await self._listeners[name].start(door, listening)
            self._log.info("listener.ready", listener=name, socket=str(wanted.socket), passed=name in passed)
        if settings.account is not None:
            path = settings.account.socket
            listening = passed.get("account") or make_socket(path, "listeners.account.socket", OPEN_TO_ALL)
            door = Acceptor(self._route("account"), None, OF_THE_ACCOUNT_SOCKET)
            await self._listeners["account"].start(door, listening)
            self._log.info("listener.ready", listener="account", socket=str(path), passed="account" in passed)
        if self._applications is not None:
            listening = passed.get("applications") or self._applications.socket(
                shared=self._world.worker is not None
            )
            await self._listeners["applications"].start(self._applications.door, listening)
            self._log.info(
                "listener.ready",
                listener="applications",
                address=self._applications.address,
                passed="applications" in passed,
            )
            self._watch(self._applications.keep_watch(self._world.clock.sleep))
        worker = self._world.worker
        at = await self._scrapes.start(worker.number if worker else 1)
        if at:
            self._log.info("metrics.ready", address=at)
        self._watch(self._health.keep(self._world.clock.sleep))

    def reload(self) -> None:
        """Take over what the current configuration says of roles, of applications, and of services."""
        self._scrapes.reload()
        for door in self._doors:
            door.judge()
        if self._applications is not None:
            self._applications.renew()

    async def stop(self, grace: float) -> None:
        """Take nothing new, and let what is under way finish for `grace` seconds."""
        self._scrapes.stop()
        self._audit.stop()
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        await asyncio.gather(*(listener.stop(grace) for listener in self._listeners.values()))

    def _admin_rights(self, uid: int) -> Rights:
        return socket_rights(self._core().config, uid)

    async def _is_administrator(self, caller: Caller, user: str) -> bool:
        return await self._core().scoped.within(caller.rights.directories).desk.is_administrator(user)

    def _route(self, name: str) -> Route:
        return Route(name, self._listeners[name].inner, self._addresses, self._log)

    def _watch(self, work: Coroutine[Any, Any, None]) -> None:
        self._watches.append(asyncio.get_running_loop().create_task(work))

    async def _tell_health(self, serving: Mapping[str, bool]) -> None:
        for listener in self._listeners.values():
            await listener.tell_health(serving)

    def _connections(self) -> dict[str, int]:
        return {name: listener.connections for name, listener in self._listeners.items()}

    async def _status(self) -> admin_pb2.GetStatusResponse:
        return await status_of(self._core(), self._world, self._started_at, self._health)
