"""The daemon's services, and which listeners have each: what a listener has not, nobody can do there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from nightlatch.app.planned import planned_policy
from nightlatch.login.receipt_rotation import ReceiptRotation
from nightlatch.model import AuditQuery, Result
from nightlatch.rpc.account import AccountService
from nightlatch.rpc.admin import AdminService
from nightlatch.rpc.admin_session import AdminSessionService
from nightlatch.rpc.enrollment import EnrollmentService
from nightlatch.rpc.importing import ImportService
from nightlatch.rpc.login import LoginService
from nightlatch.rpc.policy import PolicyService
from nightlatch.rpc.users import UserService
from nightlatch.rpc.verification import KeyService, VerificationService
from nightlatch.v1 import (
    account_pb2_grpc,
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
    from collections.abc import Awaitable, Callable

    from nightlatch.app.actions import Actions
    from nightlatch.app.core import Core
    from nightlatch.app.world import World
    from nightlatch.model import AuditRow
    from nightlatch.policy.policy import Policy
    from nightlatch.rpc.audit import AuditService
    from nightlatch.rpc.caller import Caller, CallerAddresses
    from nightlatch.v1 import admin_pb2

    Status = Callable[[], Awaitable[admin_pb2.GetStatusResponse]]

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Offer:
    """A service, registered once, and the listeners that have it."""

    name: str
    """Its full name."""
    register: Callable[[Any], None]
    listeners: tuple[str, ...]
    for_people: bool
    """Whether it needs the store and a directory."""


class Offers:
    """Makes the services, each over whatever core is current."""

    def __init__(self, core: Callable[[], Core], world: World, addresses: CallerAddresses) -> None:
        self._core = core
        self._receipt_keys = world.receipt_keys
        self._clock = world.clock
        self._audit = world.audit.log
        self._addresses = addresses
        self._log = world.log

    def all(self, audit: AuditService, status: Status) -> tuple[Offer, ...]:
        """What there is."""
        return (*self._signing_in(), *self._over_people(status), *self._on_the_admin_socket(audit))

    def _signing_in(self) -> tuple[Offer, ...]:
        addresses, log, actions = self._addresses, self._log, self._actions
        return (
            _offer(
                "nightlatch.v1.LoginService",
                login_pb2_grpc.add_LoginServiceServicer_to_server,
                LoginService(
                    lambda caller: actions(caller).engine, lambda: self._core().receipts, addresses, log
                ),
                ("pam", "applications"),
            ),
            _offer(
                "nightlatch.v1.VerificationService",
                verification_pb2_grpc.add_VerificationServiceServicer_to_server,
                VerificationService(lambda caller: actions(caller).verifications, addresses, log),
                ("applications",),
            ),
            _offer(
                "nightlatch.v1.KeyService",
                keys_pb2_grpc.add_KeyServiceServicer_to_server,
                KeyService(lambda: self._core().receipts, log),
                ("applications",),
                for_people=False,
            ),
            _offer(
                "nightlatch.v1.AccountService",
                account_pb2_grpc.add_AccountServiceServicer_to_server,
                AccountService(lambda caller: actions(caller).own_account, addresses, log),
                ("account", "applications"),
            ),
        )

    def _over_people(self, status: Status) -> tuple[Offer, ...]:
        addresses, log, actions = self._addresses, self._log, self._actions
        listeners = ("admin", "applications")
        enrollment = EnrollmentService(
            lambda caller: actions(caller).enrollments,
            lambda caller: actions(caller).removals,
            addresses,
            log,
        )
        return (
            _offer(
                "nightlatch.v1.EnrollmentService",
                enrollment_pb2_grpc.add_EnrollmentServiceServicer_to_server,
                enrollment,
                listeners,
            ),
            _offer(
                "nightlatch.v1.AdminService",
                admin_pb2_grpc.add_AdminServiceServicer_to_server,
                AdminService(
                    lambda caller: actions(caller).administration,
                    lambda: ReceiptRotation(self._receipt_keys, self._core().store, self._clock),
                    status,
                    addresses,
                    log,
                ),
                listeners,
            ),
            _offer(
                "nightlatch.v1.UserService",
                user_pb2_grpc.add_UserServiceServicer_to_server,
                UserService(actions, lambda: self._core().review, self._last_login, addresses, log),
                listeners,
            ),
        )

    def _on_the_admin_socket(self, audit: AuditService) -> tuple[Offer, ...]:
        """What an application can not have: no right names it."""
        addresses, log, core = self._addresses, self._log, self._core
        listeners = ("admin",)
        signing_in = AdminSessionService(
            lambda: core().scoped.within(None).admin_signing_in, addresses, self._clock, log
        )
        return (
            _offer(
                "nightlatch.v1.AuditService",
                audit_pb2_grpc.add_AuditServiceServicer_to_server,
                audit,
                listeners,
            ),
            _offer(
                "nightlatch.v1.ImportService",
                import_pb2_grpc.add_ImportServiceServicer_to_server,
                ImportService(lambda caller: self._actions(caller).takeovers, addresses, log),
                listeners,
            ),
            _offer(
                "nightlatch.v1.AdminSessionService",
                admin_session_pb2_grpc.add_AdminSessionServiceServicer_to_server,
                signing_in,
                listeners,
            ),
            _offer(
                "nightlatch.v1.PolicyService",
                policy_pb2_grpc.add_PolicyServiceServicer_to_server,
                PolicyService(lambda: core().review, self._planned, addresses, log),
                listeners,
            ),
        )

    def _actions(self, caller: Caller) -> Actions:
        return self._core().scoped.within(caller.rights.directories)

    async def _last_login(self, account_id: str) -> AuditRow | None:
        """The newest login of an account that let somebody in."""
        query = AuditQuery((account_id,), "login.", (Result.GRANTED,))
        return next(iter(await self._audit.page(query, None, 1)), None)

    async def _planned(self, file: str, text: str, enabled: frozenset[str]) -> Policy:
        return await planned_policy(file, text, enabled, self._core().directories, self._log)


def _offer(
    name: str,
    add: Callable[[S, Any], None],
    service: S,
    listeners: tuple[str, ...],
    *,
    for_people: bool = True,
) -> Offer:
    return Offer(name, partial(add, service), listeners, for_people)
