"""What an application sees that is bound to directories and services: every method of every service (API-02).

A method that is new has to be entered in the tables here, by somebody who has thought about it.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

import nightlatch.v1
from nightlatch.rpc.rights import SERVICES
from nightlatch.v1 import account_pb2, account_pb2_grpc, admin_pb2, login_pb2, user_pb2, verification_pb2
from testbed.applications import Installation, short_folder
from testbed.authority import Order
from testbed.front_door import Person, directory_table, enroll
from testbed.slapd import PEOPLE, Slapd, password_of
from testbed.slapd import SERVICES as NO_PEOPLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from google.protobuf.descriptor import MethodDescriptor
    from google.protobuf.message import Message

    from testbed.pki import Pki

Code = grpc.StatusCode
NOBODY = "nobody-of-that-name"
EVERYTHING = ", ".join(f'"{word}"' for word in SERVICES)
CLIENTS = f"""
[[clients]]
name = "annexe"
san = "dns:annexe.example.com"
methods = [{EVERYTHING}]
directories = ["annexe"]
[[clients]]
name = "portal"
san = "dns:portal.example.com"
methods = [{EVERYTHING}]
"""

NAMING = {
    "LoginService/BeginLogin": Code.OK,
    "VerificationService/VerifyCode": Code.OK,
    "VerificationService/SendCode": Code.OK,
    "VerificationService/CheckDevice": Code.OK,
    "AccountService/BeginSession": Code.OK,
    "AccountService/BeginReset": Code.FAILED_PRECONDITION,  # no directory of its own sets passwords anew
    "EnrollmentService/BeginEnrollment": Code.NOT_FOUND,
    "EnrollmentService/BeginRemoval": Code.NOT_FOUND,
    "AdminService/ListCredentials": Code.NOT_FOUND,
    "AdminService/RemoveCredential": Code.NOT_FOUND,
    "AdminService/RenameCredential": Code.NOT_FOUND,
    "AdminService/RevokeDevices": Code.NOT_FOUND,
    "AdminService/UnlockAccount": Code.NOT_FOUND,
    "AdminService/CreateInvite": Code.NOT_FOUND,
    "AdminService/RevokeInvite": Code.NOT_FOUND,
    "UserService/GetUser": Code.NOT_FOUND,
    "UserService/DisableUser": Code.NOT_FOUND,
    "UserService/EnableUser": Code.NOT_FOUND,
    "UserService/ResetUser": Code.NOT_FOUND,
    "UserService/ListSessions": Code.NOT_FOUND,
    "UserService/EndSessions": Code.NOT_FOUND,
}
"""Name a person: somebody of another directory is nobody, in code, words and answer."""
CARRYING = {
    "LoginService/AnswerLogin": Code.FAILED_PRECONDITION,
    "EnrollmentService/ConfirmEnrollment": Code.FAILED_PRECONDITION,
    "EnrollmentService/ConfirmRemoval": Code.FAILED_PRECONDITION,
    "AccountService/AnswerSession": Code.FAILED_PRECONDITION,
    "AccountService/AnswerReset": Code.FAILED_PRECONDITION,
    "AccountService/EndSession": Code.UNAUTHENTICATED,
    "AccountService/GetAccount": Code.UNAUTHENTICATED,
    "AccountService/BeginProof": Code.UNAUTHENTICATED,
    "AccountService/AnswerProof": Code.UNAUTHENTICATED,
    "AccountService/BeginAdd": Code.UNAUTHENTICATED,
    "AccountService/ConfirmAdd": Code.UNAUTHENTICATED,
    "AccountService/RenameOwnCredential": Code.UNAUTHENTICATED,
    "AccountService/RemoveOwnCredential": Code.UNAUTHENTICATED,
    "AccountService/RevokeOwnDevices": Code.UNAUTHENTICATED,
    "AccountService/RegenerateRecoveryCodes": Code.FAILED_PRECONDITION,  # for nobody: not switched on here
    "AccountService/BeginSecurityEmail": Code.FAILED_PRECONDITION,  # as well
    "AccountService/ChangePassword": Code.UNAUTHENTICATED,
}
"""Carry a ticket or a session: another client's is good for nothing."""
OF_THE_INSTALLATION = {
    "KeyService/GetKeys": Code.OK,
    "Health/Check": Code.OK,
    "Health/List": Code.UNIMPLEMENTED,
    "AdminService/GetStatus": Code.OK,
    "AdminService/TestChannel": Code.PERMISSION_DENIED,
    "AdminService/GetReceiptKeys": Code.OK,
    "AdminService/RotateReceiptKeys": Code.PERMISSION_DENIED,
}
"""Are about nobody. What the status says has a test of its own."""
STREAMS = {"Health/Watch", "ServerReflection/ServerReflectionInfo"}
"""Tell of services, by their names and types; for whom they are, `test_rights.py` says."""
NOT_SERVED = {
    "ImportService/ImportCredentials",
    "PolicyService/ExplainPolicy",
    "PolicyService/ReportPolicy",
    "PolicyService/PlanPolicy",
    "AuditService/ListAuditEvents",
    "AuditService/FollowAuditEvents",
    "AuditService/VerifyAudit",
    "AdminSessionService/BeginSignIn",
    "AdminSessionService/AnswerSignIn",
    "AdminSessionService/ResumeSession",
    "AdminSessionService/SignOut",
}
"""Are served on the admin socket alone: they speak of everybody."""
FOR_A_SERVICE = {
    "LoginService/BeginLogin": Code.PERMISSION_DENIED,
    "VerificationService/VerifyCode": Code.PERMISSION_DENIED,
    "VerificationService/SendCode": Code.PERMISSION_DENIED,
    "VerificationService/CheckDevice": Code.PERMISSION_DENIED,
    "UserService/GetUser": Code.OK,  # without a word of policy
    "Health/Check": Code.OK,  # a gRPC service's name
    "Health/Watch": Code.OK,
}
"""Name a service."""


def methods() -> dict[str, MethodDescriptor]:
    """Every method there is: "UserService/GetUser"."""
    ours = (one.name for one in pkgutil.iter_modules(nightlatch.v1.__path__) if one.name.endswith("_pb2"))
    files: list[Any] = [importlib.import_module(f"nightlatch.v1.{name}") for name in ours]
    files += [health_pb2, reflection_pb2]
    return {
        f"{service.name}/{method.name}": method
        for file in files
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }


METHODS = methods()


@dataclass
class Asked:
    """How a call ended."""

    code: grpc.StatusCode
    words: str
    answer: Message | None


@dataclass
class Place:
    """Two directories, alice in the first, what portal holds of her, and a client bound to the second."""

    installation: Installation
    annexe: grpc.Channel
    portal: grpc.Channel
    session: bytes
    ticket: bytes
    credential: str

    def call(self, channel: grpc.Channel, name: str, user: str = "alice", service: str = "") -> Asked:
        """Call a method with all that its request has room for."""
        method = METHODS[name]
        values = {
            "user": user,
            "service": service,
            "session": self.session,
            "ticket": self.ticket,
            "credential_id": self.credential,
            "code": "000000",
            "answer": b"000000",
            "factor": "totp",
            "label": "mine now",
            "channel": "post",
            "primary": login_pb2.PRIMARY_PASSWORD,
        }
        fields = method.input_type.fields_by_name
        if "user" in fields:
            del values["ticket"]
        request = GetMessageClass(method.input_type)(
            **{field: value for field, value in values.items() if field in fields}
        )
        ask: grpc.UnaryUnaryMultiCallable[Message, bytes] = channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
        )
        try:
            answer = ask(request, timeout=15)
        except grpc.RpcError as error:
            return Asked(error.code(), error.details() or "", None)
        return Asked(Code.OK, "", GetMessageClass(method.output_type).FromString(answer))


def signed_in(portal: grpc.Channel, code: str) -> bytes:
    """A session of alice's own account."""
    stub = account_pb2_grpc.AccountServiceStub(portal)
    step = stub.BeginSession(account_pb2.BeginSessionRequest(user="alice"), timeout=15).step
    for typed in (password_of("alice"), code):
        request = account_pb2.AnswerSessionRequest(ticket=step.ticket, answer=typed.encode())
        answered = stub.AnswerSession(request, timeout=15)
        step = answered.step
    return bytes(answered.session)


@pytest.fixture(scope="module")
def place(open_folder: Path, pki: Pki) -> Iterator[Place]:
    """A daemon in front of a real slapd, for all tests here: none of them changes anything."""
    folder = short_folder(open_folder)
    folder.chmod(0o755)
    slapd = Slapd(folder, pki)
    slapd.start()
    corp = directory_table(slapd)
    annexe = corp.replace('name = "corp"', 'name = "annexe"').replace(f'"{PEOPLE}"', f'"{NO_PEOPLE}"')
    made = Installation(short_folder(open_folder), directories=corp + annexe, clients=CLIENTS)
    made.daemon.start()
    bound, free = (made.client(name, Order((f"dns:{name}.example.com",))) for name in ("annexe", "portal"))
    with (
        made.daemon.channel(admin=True) as admin,
        bound.channel() as annexe_channel,
        free.channel() as portal,
    ):
        app = enroll(admin, "alice")
        session = signed_in(portal, app.fresh())
        ticket = Person(portal, service="portal").begin().ticket
        here = Place(made, annexe_channel, portal, session, ticket, "")
        listed = here.call(portal, "AdminService/ListCredentials").answer
        assert isinstance(listed, admin_pb2.ListCredentialsResponse)
        here.credential = listed.credentials[0].id
        yield here
    made.daemon.stop()
    slapd.stop()


def without_seals(message: Message) -> Message:
    """A message without what is different in each call."""
    for name in ("ticket", "reference"):
        if name in message.DESCRIPTOR.fields_by_name:
            message.ClearField(name)
    for field, value in message.ListFields():
        if field.message_type is not None:
            without_seals(value)
    return message


def test_every_method_is_in_one_table() -> None:
    """A new method fails here until somebody has said what a bound client sees of it."""
    tables = [*NAMING, *CARRYING, *OF_THE_INSTALLATION, *STREAMS, *NOT_SERVED]
    assert sorted(tables) == sorted(METHODS)
    assert {
        name for name, one in METHODS.items() if "user" in one.input_type.fields_by_name
    } - NOT_SERVED == {*NAMING}
    serviced = {name for name, one in METHODS.items() if "service" in one.input_type.fields_by_name}
    assert serviced - NOT_SERVED == {*FOR_A_SERVICE}


@pytest.mark.parametrize("name", sorted(NAMING))
def test_somebody_of_another_directory_is_nobody(place: Place, name: str) -> None:
    """The same code, words and answer as for a name that no directory knows."""
    hers, nobodys = (place.call(place.annexe, name, user, "annexe") for user in ("alice", NOBODY))
    assert (hers.code, hers.words) == (nobodys.code, nobodys.words)
    assert hers.code is NAMING[name]
    assert "corp" not in hers.words
    if hers.answer is not None and nobodys.answer is not None:
        assert without_seals(hers.answer) == without_seals(nobodys.answer)


@pytest.mark.parametrize("name", sorted(CARRYING))
def test_what_another_client_holds_is_good_for_nothing(place: Place, name: str) -> None:
    """SES-03: a real ticket and a real session of alice's, begun by another client."""
    asked = place.call(place.annexe, name)
    assert asked.code is CARRYING[name]
    assert "alice" not in asked.words
    assert asked.answer is None or not asked.answer.ListFields()


@pytest.mark.parametrize("name", sorted(OF_THE_INSTALLATION))
def test_what_is_about_nobody_names_no_other_directory(place: Place, name: str) -> None:
    """Keys and health are for everybody; channels are the installation's own."""
    asked = place.call(place.annexe, name)
    assert asked.code is OF_THE_INSTALLATION[name]
    assert "corp" not in str(asked)


@pytest.mark.parametrize("name", sorted(NOT_SERVED))
def test_what_speaks_of_everybody_is_not_there(place: Place, name: str) -> None:
    """Audit, reports and imports are the admin socket's, whatever rights an application has."""
    for channel in (place.annexe, place.portal):
        assert place.call(channel, name).code is Code.UNIMPLEMENTED


def test_the_status_shows_its_own_directories(place: Place) -> None:
    """A bound client reads of no other directory, and of nothing that listens or works on the host."""
    shown, everything = (
        place.call(channel, "AdminService/GetStatus").answer for channel in (place.annexe, place.portal)
    )
    assert isinstance(shown, admin_pb2.GetStatusResponse)
    assert isinstance(everything, admin_pb2.GetStatusResponse)
    assert [part.name for part in shown.parts if part.kind == "directory"] == ["annexe"]
    assert {part.kind for part in shown.parts} == {"store", "directory", "factor", "health"}
    assert [part.detail for part in shown.parts if part.kind == "store"] == [""]
    assert {"corp", "annexe", "pam", "admin"} <= {part.name for part in everything.parts}


@pytest.mark.parametrize("name", sorted(FOR_A_SERVICE))
def test_another_s_service_is_not_its_own(place: Place, name: str) -> None:
    """A client names its own services; of the rules for others it hears nothing."""
    if METHODS[name].containing_service.full_name.startswith("grpc."):
        assert METHODS[name].input_type.full_name == "grpc.health.v1.HealthCheckRequest"
        return
    asked = place.call(place.portal, name, service="sshd")
    assert asked.code is FOR_A_SERVICE[name]
    if isinstance(asked.answer, user_pb2.GetUserResponse):
        assert asked.answer.account.name == "alice"
        assert not asked.answer.HasField("policy")
        own = place.call(place.portal, name).answer
        assert isinstance(own, user_pb2.GetUserResponse)
        assert own.HasField("policy"), "of the rules for its own service it does"


def test_nothing_has_changed_for_the_person(place: Place) -> None:
    """After all these calls alice has what she had, her session goes on, and she is let in."""
    for name in sorted({*NAMING, *CARRYING}):
        place.call(place.annexe, name, service="annexe")
    assert place.call(place.portal, "AccountService/GetAccount").code is Code.OK
    listed = place.call(place.portal, "AdminService/ListCredentials").answer
    assert isinstance(listed, admin_pb2.ListCredentialsResponse)
    assert [(one.id, one.label) for one in listed.credentials] == [(place.credential, "phone")]
    verified = place.call(place.portal, "VerificationService/VerifyCode").answer
    assert isinstance(verified, verification_pb2.VerifyCodeResponse)
    assert verified.verification == verification_pb2.VERIFICATION_WRONG, "and not LOCKED"
