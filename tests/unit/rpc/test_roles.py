"""The table of roles: every method of the admin socket is in it, and no role has what is not its own."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
import structlog

from nightlatch.desk.roles import Role
from nightlatch.errors import SessionEnded, Unavailable
from nightlatch.rpc.caller import Caller, CallerAddresses
from nightlatch.rpc.guard import Guard
from nightlatch.rpc.roles import (
    AUDITING,
    CHANGING,
    HELPING,
    METHODS,
    OF_NOBODY,
    READING,
    SIGNING_IN,
    rights_of,
)
from nightlatch.v1 import (
    admin_pb2,
    admin_session_pb2,
    audit_pb2,
    enrollment_pb2,
    import_pb2,
    policy_pb2,
    user_pb2,
)
from testbed.core import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from google.protobuf.descriptor import MethodDescriptor

    from nightlatch.rpc.rights import Rights

ADMINISTERING = {
    "/nightlatch.v1.AdminService/TestChannel",
    "/nightlatch.v1.AdminService/RotateReceiptKeys",
    "/nightlatch.v1.UserService/DisableUser",
    "/nightlatch.v1.UserService/EnableUser",
    "/nightlatch.v1.EnrollmentService/BeginEnrollment",
    "/nightlatch.v1.EnrollmentService/ConfirmEnrollment",
    "/nightlatch.v1.EnrollmentService/BeginRemoval",
    "/nightlatch.v1.EnrollmentService/ConfirmRemoval",
    "/nightlatch.v1.ImportService/ImportCredentials",
}
"""For administrators alone."""
FILES = (admin_pb2, admin_session_pb2, user_pb2, enrollment_pb2, import_pb2, policy_pb2, audit_pb2)


def served() -> dict[str, MethodDescriptor]:
    """The methods of the admin socket that are about people, policy, audit and the daemon."""
    return {
        f"/{service.full_name}/{method.name}": method
        for file in FILES
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }


def test_every_method_is_in_one_part_of_the_table() -> None:
    """API-02: a new method is somebody's decision: here, and in `nightlatch.rpc.roles`."""
    parts = (READING, HELPING, AUDITING, ADMINISTERING, SIGNING_IN)
    assert sorted(frozenset().union(*parts)) == sorted(served())
    assert [one & other for one, other in combinations(parts, 2) if one & other] == []


def test_whatever_changes_something_of_a_person_is_shielded() -> None:
    """A method that names a person, and does more than look, is not for everybody's administrators."""
    naming = {name for name, method in served().items() if "user" in method.input_type.fields_by_name}
    looking = READING | AUDITING | SIGNING_IN
    assert naming - looking == CHANGING


@pytest.mark.parametrize("role", [Role.HELPDESK, Role.AUDITOR])
def test_a_role_has_its_own_and_nothing_else(role: Role) -> None:
    """The helpdesk reads no audit and adds no factor; an auditor changes nothing at all."""
    others = {Role.HELPDESK: AUDITING, Role.AUDITOR: HELPING}[role]
    assert METHODS[role] & (others | ADMINISTERING) == frozenset()
    rights = rights_of(role)
    assert rights.methods is not None
    assert (rights.methods, rights.over_administrators) == (METHODS[role], False)
    assert rights.methods >= READING | SIGNING_IN


def test_an_administrator_has_everything() -> None:
    """And may change something of other administrators."""
    rights = rights_of(Role.ADMIN)
    assert (rights.methods, rights.over_administrators) == (None, True)


class Ended(Exception):
    """A call was ended."""


class FakeCall:
    """A call on a connection of the acceptor's."""

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def peer(self) -> str:
        return self._peer

    def code(self) -> int:
        return 0

    async def abort(self, code: grpc.StatusCode, details: str, **_: object) -> None:
        raise Ended(code, details)


class FakeServer:
    """Keeps what is registered."""

    def __init__(self) -> None:
        self.handlers: tuple[grpc.GenericRpcHandler, ...] = ()

    def add_generic_rpc_handlers(self, handlers: tuple[grpc.GenericRpcHandler, ...]) -> None:
        self.handlers = handlers


class FakeDetails:
    """Which method is called."""

    method = "/nightlatch.v1.AuditService/FollowAuditEvents"
    invocation_metadata = ()


async def test_the_authority_of_somebody_signed_in_ends() -> None:
    """SES-04: a connection that is kept open is worth nothing after the session's quarter of an hour."""
    clock = FakeClock()
    addresses = CallerAddresses("n")
    guard = Guard(addresses, clock.steady, structlog.get_logger(), logs_calls=False)
    peer = f"unix-abstract:{addresses.bind(Caller('admin', 'uid=7', OF_NOBODY)).decode()[1:]}"
    method = "/nightlatch.v1.UserService/DisableUser"
    call = cast("Any", FakeCall(peer))
    with pytest.raises(Ended, match="no right"):
        await guard.enter(method, call)
    signed_in = Caller("admin", "uid=7 bob@corp", rights_of(Role.ADMIN), until=clock.steady() + 900)
    addresses.become(peer, signed_in)
    assert signed_in.host_user == "admin uid=7"
    await guard.enter(method, call)
    clock.time += 900
    with pytest.raises(Ended, match="has ended"):
        await guard.enter(method, call)


async def test_an_open_connection_is_worth_what_the_session_is_now() -> None:
    """SES-04: whose session was ended, or who lost the role, does nothing more on a connection left open."""
    clock = FakeClock()
    addresses = CallerAddresses("n")
    guard = Guard(addresses, clock.steady, structlog.get_logger(), logs_calls=False)
    peer = f"unix-abstract:{addresses.bind(Caller('admin', 'uid=7', OF_NOBODY)).decode()[1:]}"
    now: list[Rights | Exception] = [rights_of(Role.ADMIN)]

    async def rights_now() -> Rights:
        if isinstance(now[0], Exception):
            raise now[0]
        return now[0]

    until = clock.steady() + 900
    signed_in = Caller("admin", "uid=7 bob@corp", rights_of(Role.ADMIN), until=until, rights_now=rights_now)
    addresses.become(peer, signed_in)
    method, call = "/nightlatch.v1.UserService/DisableUser", cast("Any", FakeCall(peer))
    await guard.enter(method, call)
    now[0] = rights_of(Role.HELPDESK)
    with pytest.raises(Ended, match="no right"):
        await guard.enter(method, call)
    assert not addresses.caller(peer).rights.over_administrators
    now[0] = Unavailable("directory corp", "away")
    with pytest.raises(Ended, match="away"):
        await guard.enter(method, call)
    now[0] = SessionEnded("Your session has ended.")
    with pytest.raises(Ended, match="has ended"):
        await guard.enter(method, call)


async def test_what_is_sent_in_pieces_ends_with_the_session_or_the_role() -> None:
    """SES-04: who follows the audit hears nothing more once the session is over, or the role is gone."""
    clock = FakeClock()
    addresses = CallerAddresses("n")
    guard = Guard(addresses, clock.steady, structlog.get_logger(), logs_calls=False)
    until = clock.steady() + 900
    caller = Caller("admin", "uid=7 bob@corp", rights_of(Role.AUDITOR), until=until)
    peer = f"unix-abstract:{addresses.bind(caller).decode()[1:]}"

    async def following(_request: object, _context: object) -> AsyncIterator[int]:
        for number in range(3):
            yield number
            clock.time += 600

    handlers: dict[str, Any] = {"FollowAuditEvents": grpc.unary_stream_rpc_method_handler(following)}
    server = FakeServer()
    guard.before(cast("Any", server)).add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("nightlatch.v1.AuditService", handlers),)
    )
    found = server.handlers[0].service(cast("Any", FakeDetails()))
    assert found is not None
    answers = cast("Any", found).unary_stream(None, FakeCall(peer))
    assert [await anext(answers), await anext(answers)] == [0, 1]
    with pytest.raises(Ended, match="has ended"):
        await anext(answers)
    address = addresses.bind(Caller("admin", "uid=8", rights_of(Role.AUDITOR)))
    answers = cast("Any", found).unary_stream(None, FakeCall(f"unix-abstract:{address.decode()[1:]}"))
    assert await anext(answers) == 0
    addresses.change(address, Caller("admin", "uid=8", OF_NOBODY))
    with pytest.raises(Ended, match="no right"):
        await anext(answers)
