"""A stand-in for the daemon's admin socket: real gRPC over a real unix socket, and invented people."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import grpc

from nightlatch.v1 import (
    admin_pb2,
    admin_pb2_grpc,
    enrollment_pb2,
    enrollment_pb2_grpc,
    user_pb2_grpc,
)
from testbed.fake_users import INVITE, STARTED, FakeUsers, account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD_CODE = "492039"
LAST_ONE = "This is the last credential to sign in with. Enrol another one first."
WRONG_CODE = "That code was not right. Nothing was removed."
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class Aborts(Protocol):
    """A call that can be ended."""

    def abort(self, code: grpc.StatusCode, details: str) -> object: ...


@dataclass
class FakeDaemon(admin_pb2_grpc.AdminServiceServicer, enrollment_pb2_grpc.EnrollmentServiceServicer):
    """Answers as its fields say, and keeps what it was asked."""

    socket: Path
    people: dict[str, list[admin_pb2.Credential]] = field(default_factory=dict)
    parts: list[admin_pb2.Part] = field(default_factory=list)
    qr_payload: str = f"otpauth://totp/example.com:alice?secret={SECRET}&issuer=example.com&algorithm=SHA256"
    details: tuple[tuple[str, str], ...] = ()
    """What an enrolment shows beside the code to scan; what belongs to `SECRET` where empty."""
    prompt: str = "Code from your authenticator app"
    counts_at_once: bool = False
    """Whether there is nothing to confirm."""
    channels: dict[str, str] = field(default_factory=dict)
    """By name what the provider says: an id, or a refusal that begins with "no: "."""
    failure: tuple[grpc.StatusCode, str] | None = None
    confirm_failure: tuple[grpc.StatusCode, str] | None = None
    """What comes instead of a judgement of the proof for a removal."""
    receipt_keys: admin_pb2.ReceiptKeys = field(default_factory=admin_pb2.ReceiptKeys)
    asked: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.users = FakeUsers(self)

    def GetStatus(self, request: admin_pb2.GetStatusRequest, context: Aborts) -> admin_pb2.GetStatusResponse:  # noqa: N802, gRPC's name
        self.note(request, context)
        answer = admin_pb2.GetStatusResponse(version="9.9.9", parts=self.parts)
        answer.start_time.FromSeconds(STARTED)
        return answer

    def CreateInvite(  # noqa: N802, gRPC's name
        self, request: admin_pb2.CreateInviteRequest, context: Aborts
    ) -> admin_pb2.CreateInviteResponse:
        self.note(request, context)
        self.person(request.user, context)
        answer = admin_pb2.CreateInviteResponse(account=account(request.user), invite=INVITE)
        answer.expire_time.FromSeconds(STARTED + request.days * 86_400)
        return answer

    def RevokeInvite(  # noqa: N802, gRPC's name
        self, request: admin_pb2.RevokeInviteRequest, context: Aborts
    ) -> admin_pb2.RevokeInviteResponse:
        self.note(request, context)
        self.person(request.user, context)
        return admin_pb2.RevokeInviteResponse(account=account(request.user), revoked=request.user == "alice")

    def ListCredentials(  # noqa: N802, gRPC's name
        self, request: admin_pb2.ListCredentialsRequest, context: Aborts
    ) -> admin_pb2.ListCredentialsResponse:
        self.note(request, context)
        found = self.person(request.user, context)
        return admin_pb2.ListCredentialsResponse(account=account(request.user), credentials=found)

    def RemoveCredential(  # noqa: N802, gRPC's name
        self, request: admin_pb2.RemoveCredentialRequest, context: Aborts
    ) -> admin_pb2.RemoveCredentialResponse:
        self.note(request, context)
        removed = self._credential(request.user, request.credential_id, context)
        self.people[request.user].remove(removed)
        return admin_pb2.RemoveCredentialResponse(credential=removed)

    def RenameCredential(  # noqa: N802, gRPC's name
        self, request: admin_pb2.RenameCredentialRequest, context: Aborts
    ) -> admin_pb2.RenameCredentialResponse:
        self.note(request, context)
        if not request.label:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "A credential's name has 1 to 64 characters.")
        renamed = self._credential(request.user, request.credential_id, context)
        renamed.label = request.label
        return admin_pb2.RenameCredentialResponse(credential=renamed)

    def RevokeDevices(  # noqa: N802, gRPC's name
        self, request: admin_pb2.RevokeDevicesRequest, context: Aborts
    ) -> admin_pb2.RevokeDevicesResponse:
        self.note(request, context)
        found = self.person(request.user, context)
        self.people[request.user] = [each for each in found if not each.device]
        return admin_pb2.RevokeDevicesResponse(devices=[each for each in found if each.device])

    def TestChannel(  # noqa: N802, gRPC's name
        self, request: admin_pb2.TestChannelRequest, context: Aborts
    ) -> admin_pb2.TestChannelResponse:
        self.note(request, context)
        if request.channel not in self.channels:
            context.abort(grpc.StatusCode.NOT_FOUND, f'There is no channel "{request.channel}".')
        said = self.channels[request.channel]
        if said.startswith("no: "):
            context.abort(
                grpc.StatusCode.PERMISSION_DENIED, f"{request.channel}: {said.removeprefix('no: ')}"
            )
        return admin_pb2.TestChannelResponse(provider_id=said)

    def UnlockAccount(  # noqa: N802, gRPC's name
        self, request: admin_pb2.UnlockAccountRequest, context: Aborts
    ) -> admin_pb2.UnlockAccountResponse:
        self.note(request, context)
        self.person(request.user, context)
        return admin_pb2.UnlockAccountResponse(account=account(request.user), forgotten_failures=7)

    def GetReceiptKeys(  # noqa: N802, gRPC's name
        self, request: admin_pb2.GetReceiptKeysRequest, context: Aborts
    ) -> admin_pb2.GetReceiptKeysResponse:
        self.note(request, context)
        return admin_pb2.GetReceiptKeysResponse(keys=self.receipt_keys)

    def RotateReceiptKeys(  # noqa: N802, gRPC's name
        self, request: admin_pb2.RotateReceiptKeysRequest, context: Aborts
    ) -> admin_pb2.RotateReceiptKeysResponse:
        self.note(request, context)
        return admin_pb2.RotateReceiptKeysResponse(keys=self.receipt_keys)

    def BeginEnrollment(  # noqa: N802, gRPC's name
        self, request: enrollment_pb2.BeginEnrollmentRequest, context: Aborts
    ) -> enrollment_pb2.BeginEnrollmentResponse:
        self.note(request, context)
        self.person(request.user, context)
        of_the_secret = (("account", f"example.com: {request.user}"), ("secret", _grouped(SECRET)))
        return enrollment_pb2.BeginEnrollmentResponse(
            ticket=b"" if self.counts_at_once else b"sealed",
            qr_payload=self.qr_payload,
            details=[
                enrollment_pb2.Detail(name=name, value=value)
                for name, value in self.details or (of_the_secret if self.qr_payload else ())
            ],
            prompt="" if self.counts_at_once else self.prompt,
            credential_id="c-new" if self.counts_at_once else "",
        )

    def ConfirmEnrollment(  # noqa: N802, gRPC's name
        self, request: enrollment_pb2.ConfirmEnrollmentRequest, context: Aborts
    ) -> enrollment_pb2.ConfirmEnrollmentResponse:
        self.note(request, context)
        if request.answer != GOOD_CODE.encode():
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "wrong code")
        return enrollment_pb2.ConfirmEnrollmentResponse(credential_id="c-new")

    def BeginRemoval(  # noqa: N802, gRPC's name
        self, request: enrollment_pb2.BeginRemovalRequest, context: Aborts
    ) -> enrollment_pb2.BeginRemovalResponse:
        self.note(request, context)
        self._credential(request.user, request.credential_id, context)
        if len([each for each in self.people[request.user] if not each.device]) == 1:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, LAST_ONE)
        ticket = f"{request.user} {request.credential_id}".encode()
        return enrollment_pb2.BeginRemovalResponse(ticket=ticket, prompt=self.prompt)

    def ConfirmRemoval(  # noqa: N802, gRPC's name
        self, request: enrollment_pb2.ConfirmRemovalRequest, context: Aborts
    ) -> enrollment_pb2.ConfirmRemovalResponse:
        self.note(request, context)
        if self.confirm_failure is not None:
            context.abort(*self.confirm_failure)
        if request.answer != GOOD_CODE.encode():
            context.abort(grpc.StatusCode.PERMISSION_DENIED, WRONG_CODE)
        user, identity = request.ticket.decode().split()
        self.people[user].remove(self._credential(user, identity, context))
        return enrollment_pb2.ConfirmRemovalResponse(credential_id=identity)

    def answers(self) -> list[bytes]:
        """The codes that came, in order."""
        kinds = (enrollment_pb2.ConfirmEnrollmentRequest, enrollment_pb2.ConfirmRemovalRequest)
        return [each.answer for each in self.asked if isinstance(each, kinds)]

    def note(self, request: object, context: Aborts) -> None:
        """Keep what was asked, and fail where that was ordered."""
        self.asked.append(request)
        if self.failure is not None:
            context.abort(*self.failure)

    def person(self, user: str, context: Aborts) -> list[admin_pb2.Credential]:
        """A person's credentials; ends the call for a stranger."""
        if user not in self.people:
            context.abort(grpc.StatusCode.NOT_FOUND, f"No directory knows {user}.")
        return self.people[user]

    def _credential(self, user: str, identity: str, context: Aborts) -> admin_pb2.Credential:
        found = next((each for each in self.person(user, context) if each.id == identity), None)
        if found is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"{user} has no credential {identity}.")
            raise AssertionError  # abort never returns
        return found


def credential(
    id_: str, label: str = "phone", created: int = STARTED, last_used: int = 0
) -> admin_pb2.Credential:
    """A credential of the fake."""
    made = admin_pb2.Credential(id=id_, factor="totp", label=label)
    made.create_time.FromSeconds(created)
    if last_used:
        made.last_use_time.FromSeconds(last_used)
    return made


def device(id_: str, label: str, last_used: int = 0) -> admin_pb2.Credential:
    """A trusted device of the fake."""
    made = credential(id_, label, last_used=last_used)
    made.factor, made.device = "trusted_device", True
    return made


@contextmanager
def serving(fake: FakeDaemon) -> Iterator[FakeDaemon]:
    """Serve the fake on its socket."""
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        admin_pb2_grpc.add_AdminServiceServicer_to_server(fake, server)
        enrollment_pb2_grpc.add_EnrollmentServiceServicer_to_server(fake, server)
        user_pb2_grpc.add_UserServiceServicer_to_server(fake.users, server)
        server.add_insecure_port(f"unix:{fake.socket}")
        server.start()
        try:
            yield fake
        finally:
            server.stop(None).wait()


def _grouped(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
