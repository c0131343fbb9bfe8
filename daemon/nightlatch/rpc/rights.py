"""What a caller may do: methods, services, directories, and how much of it.

MUST 1: what is not named is not allowed: rights are lists of what may be done, never of what may not.
MUST 2: a unix socket's rights are its services; an application's are its table in the configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from nightlatch.v1 import (
    account_pb2,
    admin_pb2,
    enrollment_pb2,
    keys_pb2,
    login_pb2,
    user_pb2,
    verification_pb2,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor import ServiceDescriptor

USERS = user_pb2.DESCRIPTOR.services_by_name["UserService"]
HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"]
REFLECTION = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]
SERVICES: dict[str, ServiceDescriptor] = {
    "login": login_pb2.DESCRIPTOR.services_by_name["LoginService"],
    "verification": verification_pb2.DESCRIPTOR.services_by_name["VerificationService"],
    "keys": keys_pb2.DESCRIPTOR.services_by_name["KeyService"],
    "enrollment": enrollment_pb2.DESCRIPTOR.services_by_name["EnrollmentService"],
    "account": account_pb2.DESCRIPTOR.services_by_name["AccountService"],
    "admin": admin_pb2.DESCRIPTOR.services_by_name["AdminService"],
    "users": USERS,
    "health": HEALTH,
    "reflection": REFLECTION,
}
"""The word by which a right names a whole service."""
_POWERFUL = frozenset({"account", "admin", "enrollment", "users"})
"""Words that no message recommends: whoever misses one method is told of that one."""


def methods_of(service: ServiceDescriptor) -> frozenset[str]:
    """A service's methods, as gRPC names them: "/nightlatch.v1.LoginService/BeginLogin"."""
    return frozenset(f"/{service.full_name}/{method.name}" for method in service.methods)


def methods_named(right: str) -> frozenset[str]:
    """The methods behind "login" or "nightlatch.v1.LoginService/BeginLogin"; none for what is unknown."""
    if right in SERVICES:
        return methods_of(SERVICES[right])
    return frozenset(
        method for service in SERVICES.values() for method in methods_of(service) if method == f"/{right}"
    )


def right_to(method: str) -> str:
    """What lets a client call "/nightlatch.v1.LoginService/BeginLogin": "login", or the method's own name."""
    words = SERVICES.keys() - _POWERFUL
    return next((word for word in words if method in methods_of(SERVICES[word])), method.removeprefix("/"))


@dataclass(frozen=True, slots=True)
class Rights:
    """What a caller may do. None means all that its listener has."""

    methods: frozenset[str] | None = frozenset()
    """Full names of methods."""
    services: frozenset[str] | None = frozenset()
    """The names that it may give as a login's service."""
    directories: frozenset[str] | None = None
    """The directories whose people it may name. The others do not exist for it."""
    sets_source: bool = False
    """Whether it may say where a login comes from; else it comes from the caller's own address."""
    knows_enrollment: bool = False
    """Whether it may know that somebody has nothing enrolled."""
    shows_keys: bool = False
    """Whether it has verified the SSH keys that it reports."""
    over_administrators: bool = False
    """Whether it may change something of people who are administrators."""
    requests_per_second: int | None = None
    concurrent: int | None = None
    """How many calls it may have under way."""
    connections: int | None = None


OF_A_SOCKET = Rights(methods=None, services=None, sets_source=True, over_administrators=True)
"""Who may open a unix socket may do what is served there, and speaks for the host."""
OF_THE_PAM_SOCKET = Rights(methods=None, services=None, sets_source=True, shows_keys=True)
"""sshd tells its PAM module which keys it has verified; nobody else's word is taken for that."""

OF_THE_ACCOUNT_SOCKET = Rights(
    methods=None, services=None, requests_per_second=50, concurrent=16, connections=32
)
"""Everybody on this host: who somebody is there proves nothing, and nobody may crowd the others out."""


@dataclass(frozen=True, slots=True)
class Client:
    """An application that may call."""

    name: str
    san: str
    """The one name in its certificate that stands for it: "dns:vpn.example.com", "uri:spiffe://…"."""
    rights: Rights


class NotAdmitted(Exception):
    """A connection that may not come in. The text is for the log."""


class Clients:
    """All clients, by the names in their certificates."""

    def __init__(self, clients: Iterable[Client]) -> None:
        self._by_san = {client.san: client for client in clients}

    def of(self, names: frozenset[str]) -> Client:
        """The one client that goes by one of these names; raises NotAdmitted."""
        found = {self._by_san[name].name: self._by_san[name] for name in names if name in self._by_san}
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            raise NotAdmitted(f"the certificate names {len(found)} clients: {', '.join(sorted(found))}")
        shown = ", ".join(sorted(ascii(name) for name in names))[:200]
        raise NotAdmitted(f"no client has a name of this certificate: {shown or 'it has none'}")
