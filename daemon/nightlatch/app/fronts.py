"""The daemon's listeners, and which services each one has: what it does not serve, nobody can do there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nightlatch.app.applications import Applications
from nightlatch.app.audit_inquiry import audit_inquiry
from nightlatch.app.health import Health
from nightlatch.app.planned import planned_policy
from nightlatch.app.role_rights import socket_rights
from nightlatch.app.status import status_of
from nightlatch.app.watching import Scrapes
from nightlatch.rpc.acceptor import Acceptor
from nightlatch.rpc.account import AccountService
from nightlatch.rpc.admin import AdminService
from nightlatch.rpc.admin_session import AdminSessionService
from nightlatch.rpc.audit import AuditService
from nightlatch.rpc.caller import CallerAddresses
from nightlatch.rpc.enrollment import EnrollmentService
from nightlatch.rpc.guard import Guard
from nightlatch.rpc.importing import ImportService
from nightlatch.rpc.listener import Listener
from nightlatch.rpc.login import LoginService
from nightlatch.rpc.passing import Route
from nightlatch.rpc.policy import PolicyService
from nightlatch.rpc.rights import OF_THE_ACCOUNT_SOCKET, OF_THE_PAM_SOCKET, SERVICES
from nightlatch.rpc.shield import Shield
from nightlatch.rpc.sockets import OPEN_TO_ALL, make_socket
from nightlatch.rpc.users import UserService
from nightlatch.rpc.verification import KeyService, VerificationService
from nightlatch.v1 import (
    account_pb2_grpc,
    admin_pb2,
    admin_pb2_grpc,
    admin_session_pb2_grpc,
    audit_pb2_grpc,
    enrollment_pb2_grpc,
    import_pb2_grpc,
    keys_pb2_grpc,
    login_pb2_grpc,
    policy_pb2_grpc,
    user_pb2_grpc,
    verification_pb2_grpc,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine, Mapping

    from nightlatch.app.actions import Actions
    from nightlatch.app.core import Core, World
    from nightlatch.policy.policy import Policy
    from nightlatch.rpc.caller import Caller
    from nightlatch.rpc.rights import Rights


@dataclass(frozen=True, slots=True)
class Offer:
    """A service, registered once, and the listeners that have it."""

    right: str
    """The word by which a client gets the right to it, from `nightlatch.rpc.rights`; the service's whole name
    where no client can have it."""
    register: Callable[[Any], None]
    listeners: frozenset[str]
    for_people: bool = True
    """Whether it needs the store and a directory."""


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
        calls = core().config.log.calls
        shield = Shield(self._addresses, self._is_administrator, world.log)
        guard = Guard(
            self._addresses, world.clock.steady, world.log, world.telemetry, logs_calls=calls, shield=shield
        )
        self._audit = AuditService(audit_inquiry(core, world), self._addresses, world.log)
        offers = self._offers()
        listeners = core().config.listeners
        optional = (("account", listeners.account), ("applications", listeners.applications))
        names = ["pam", "admin", *(name for name, wanted in optional if wanted)]
        self._listeners = {
            name: Listener(
                name,
                {_full_name(one.right): one.register for one in offers if name in one.listeners},
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

        people = {_full_name(one.right): one.for_people for one in offers}
        self._health = Health(core, world.store, people, self._tell_health, world.log)
        self._scrapes = Scrapes(core, world.telemetry, self._health, self._connections, world.clock)

    def _offers(self) -> tuple[Offer, ...]:
        addresses, log = self._addresses, self._log

        def actions(caller: Caller) -> Actions:
            return self._core().scoped.within(caller.rights.directories)

        login = LoginService(
            lambda caller: actions(caller).engine, lambda: self._core().receipts, addresses, log
        )
        enrollment = EnrollmentService(
            lambda caller: actions(caller).enrollments,
            lambda caller: actions(caller).removals,
            addresses,
            log,
        )
        account = AccountService(lambda caller: actions(caller).own_account, addresses, log)
        admin = AdminService(lambda caller: actions(caller).administration, self._status, addresses, log)
        verification = VerificationService(lambda caller: actions(caller).verifications, addresses, log)
        keys = KeyService(lambda: self._core().receipts, log)
        policy = PolicyService(lambda: self._core().review, self._planned, addresses, log)
        importing = ImportService(lambda caller: actions(caller).takeovers, addresses, log)
        users = UserService(actions, lambda: self._core().review, addresses, log)
        signing_in = AdminSessionService(
            lambda: self._core().scoped.within(None).admin_signing_in, addresses, self._world.clock, log
        )
        return (
            Offer(
                "login",
                lambda server: login_pb2_grpc.add_LoginServiceServicer_to_server(login, server),
                frozenset({"pam", "applications"}),
            ),
            Offer(
                "verification",
                lambda server: verification_pb2_grpc.add_VerificationServiceServicer_to_server(
                    verification, server
                ),
                frozenset({"applications"}),
            ),
            Offer(
                "keys",
                lambda server: keys_pb2_grpc.add_KeyServiceServicer_to_server(keys, server),
                frozenset({"applications"}),
                for_people=False,
            ),
            Offer(
                "enrollment",
                lambda server: enrollment_pb2_grpc.add_EnrollmentServiceServicer_to_server(
                    enrollment, server
                ),
                frozenset({"admin", "applications"}),
            ),
            Offer(
                "account",
                lambda server: account_pb2_grpc.add_AccountServiceServicer_to_server(account, server),
                frozenset({"account", "applications"}),
            ),
            Offer(
                "admin",
                lambda server: admin_pb2_grpc.add_AdminServiceServicer_to_server(admin, server),
                frozenset({"admin", "applications"}),
            ),
            Offer(
                "users",
                lambda server: user_pb2_grpc.add_UserServiceServicer_to_server(users, server),
                frozenset({"admin", "applications"}),
            ),
            Offer(
                "nightlatch.v1.AuditService",
                lambda server: audit_pb2_grpc.add_AuditServiceServicer_to_server(self._audit, server),
                frozenset({"admin"}),
            ),
            Offer(
                "nightlatch.v1.ImportService",
                lambda server: import_pb2_grpc.add_ImportServiceServicer_to_server(importing, server),
                frozenset({"admin"}),
            ),
            Offer(
                "nightlatch.v1.AdminSessionService",
                lambda server: admin_session_pb2_grpc.add_AdminSessionServiceServicer_to_server(
                    signing_in, server
                ),
                frozenset({"admin"}),
            ),
            Offer(
                "nightlatch.v1.PolicyService",
                lambda server: policy_pb2_grpc.add_PolicyServiceServicer_to_server(policy, server),
                frozenset({"admin"}),
            ),
        )

    async def start(self, passed: dict[str, socket.socket]) -> None:
        """Serve on the sockets that systemd passed, and on new ones for the others; raises ConfigError."""
        settings = self._core().config.listeners
        unix = (("pam", settings.pam, OF_THE_PAM_SOCKET), ("admin", settings.admin, self._admin_rights))
        for name, wanted, rights in unix:
            listening = passed.get(name) or make_socket(wanted.socket, f"listeners.{name}.socket")
            door = Acceptor(self._route(name), frozenset(wanted.allow_uids), rights)
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
        """Take over what the current configuration says of applications, and of services."""
        self._scrapes.reload()
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

    async def _planned(self, file: str, text: str, enabled: frozenset[str]) -> Policy:
        return await planned_policy(file, text, enabled, self._core().directories, self._log)

    async def _status(self) -> admin_pb2.GetStatusResponse:
        return await status_of(self._core(), self._world, self._started_at, self._health)


def _full_name(right: str) -> str:
    return SERVICES[right].full_name if right in SERVICES else right
