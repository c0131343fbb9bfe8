"""A stand-in for the daemon's admin socket: real gRPC over a real unix socket, and invented people."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import grpc

from nightlatch.v1 import admin_pb2, admin_pb2_grpc, enrollment_pb2, enrollment_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD_CODE = "492039"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STARTED = 1_770_033_600


class _Aborts(Protocol):
    def abort(self, code: grpc.StatusCode, details: str) -> object: ...


@dataclass
class FakeDaemon(admin_pb2_grpc.AdminServiceServicer, enrollment_pb2_grpc.EnrollmentServiceServicer):
    """Answers as its fields say, and keeps what it was asked."""

    socket: Path
    people: dict[str, list[admin_pb2.Credential]] = field(default_factory=dict)
    parts: list[admin_pb2.Part] = field(default_factory=list)
    qr_payload: str = f"otpauth://totp/example.com:alice?secret={SECRET}&issuer=example.com&algorithm=SHA256"
    failure: tuple[grpc.StatusCode, str] | None = None
    asked: list[object] = field(default_factory=list)

    def GetStatus(self, request: admin_pb2.GetStatusRequest, context: _Aborts) -> admin_pb2.GetStatusResponse:  # noqa: N802, gRPC's name
        self._note(request, context)
        answer = admin_pb2.GetStatusResponse(version="9.9.9", parts=self.parts)
        answer.start_time.FromSeconds(STARTED)
        return answer

    def ListCredentials(  # noqa: N802, gRPC's name
        self, request: admin_pb2.ListCredentialsRequest, context: _Aborts
    ) -> admin_pb2.ListCredentialsResponse:
        self._note(request, context)
        found = self._person(request.user, context)
        return admin_pb2.ListCredentialsResponse(account=_account(request.user), credentials=found)

    def RemoveCredential(  # noqa: N802, gRPC's name
        self, request: admin_pb2.RemoveCredentialRequest, context: _Aborts
    ) -> admin_pb2.RemoveCredentialResponse:
        self._note(request, context)
        found = self._person(request.user, context)
        credential = next(each for each in found if each.id == request.credential_id)
        found.remove(credential)
        return admin_pb2.RemoveCredentialResponse(credential=credential)

    def UnlockAccount(  # noqa: N802, gRPC's name
        self, request: admin_pb2.UnlockAccountRequest, context: _Aborts
    ) -> admin_pb2.UnlockAccountResponse:
        self._note(request, context)
        self._person(request.user, context)
        return admin_pb2.UnlockAccountResponse(account=_account(request.user), forgotten_failures=7)

    def BeginEnrollment(  # noqa: N802, gRPC's name
        self, request: enrollment_pb2.BeginEnrollmentRequest, context: _Aborts
    ) -> enrollment_pb2.BeginEnrollmentResponse:
        self._note(request, context)
        self._person(request.user, context)
        details = (("account", f"example.com: {request.user}"), ("secret", _grouped(SECRET)))
        return enrollment_pb2.BeginEnrollmentResponse(
            ticket=b"sealed",
            qr_payload=self.qr_payload,
            details=[enrollment_pb2.Detail(name=name, value=value) for name, value in details],
            prompt="Code from your authenticator app",
        )

    def ConfirmEnrollment(  # noqa: N802, gRPC's name
        self, request: enrollment_pb2.ConfirmEnrollmentRequest, context: _Aborts
    ) -> enrollment_pb2.ConfirmEnrollmentResponse:
        self._note(request, context)
        if request.answer != GOOD_CODE.encode():
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "wrong code")
        return enrollment_pb2.ConfirmEnrollmentResponse(credential_id="c-new")

    def answers(self) -> list[bytes]:
        """The codes that came, in order."""
        return [
            each.answer for each in self.asked if isinstance(each, enrollment_pb2.ConfirmEnrollmentRequest)
        ]

    def _note(self, request: object, context: _Aborts) -> None:
        self.asked.append(request)
        if self.failure is not None:
            context.abort(*self.failure)

    def _person(self, user: str, context: _Aborts) -> list[admin_pb2.Credential]:
        if user not in self.people:
            context.abort(grpc.StatusCode.NOT_FOUND, f"No directory knows {user}.")
        return self.people[user]


def credential(
    id_: str, label: str = "phone", created: int = STARTED, last_used: int = 0
) -> admin_pb2.Credential:
    """A credential of the fake."""
    made = admin_pb2.Credential(id=id_, factor="totp", label=label)
    made.create_time.FromSeconds(created)
    if last_used:
        made.last_use_time.FromSeconds(last_used)
    return made


@contextmanager
def serving(fake: FakeDaemon) -> Iterator[FakeDaemon]:
    """Serve the fake on its socket."""
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        admin_pb2_grpc.add_AdminServiceServicer_to_server(fake, server)
        enrollment_pb2_grpc.add_EnrollmentServiceServicer_to_server(fake, server)
        server.add_insecure_port(f"unix:{fake.socket}")
        server.start()
        try:
            yield fake
        finally:
            server.stop(None).wait()


def _account(user: str) -> admin_pb2.Account:
    return admin_pb2.Account(directory="corp", stable_id=f"id-of-{user}", name=user)


def _grouped(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
