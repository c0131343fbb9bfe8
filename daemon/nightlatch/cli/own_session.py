"""The calls of somebody who is signed in: signs in where there is no session, and proves anew where asked."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from nightlatch.cli.connection import SENDING_DEADLINE, channel_at
from nightlatch.cli.conversation import converse
from nightlatch.cli.output import say
from nightlatch.v1 import account_pb2
from nightlatch.v1.account_pb2_grpc import AccountServiceStub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nightlatch.cli.kept_session import KeptSession
    from nightlatch.v1.login_pb2 import Step


class WithSession(Protocol):
    """A request of somebody who is signed in."""

    session: bytes


Q = TypeVar("Q", bound=WithSession)
T = TypeVar("T")
_DETAILS = "grpc-status-details-bin"


@contextmanager
def account_at(socket: Path) -> Iterator[AccountServiceStub]:
    """The daemon's account socket; raises Failure as `channel_at` does."""
    with channel_at(socket) as channel:
        yield AccountServiceStub(channel)


class OwnSession:
    """A person's session. Begins where the first call needs one."""

    def __init__(self, service: AccountServiceStub, user: str, kept: KeptSession) -> None:
        self.service = service
        self._user = user
        self._kept = kept
        self._bearer = kept.read()

    def call(self, method: grpc.UnaryUnaryMultiCallable[Q, T], request: Q) -> T:
        """Send a request with the session; once more after signing in or proving, where that is asked for."""
        signed_in = not self._bearer
        if signed_in:
            self._sign_in()
        try:
            return self._send(method, request)
        except grpc.RpcError as error:
            reason = reason_of(error)
            if reason == "SESSION_ENDED" and not signed_in:
                self._sign_in()
            elif reason == "PROOF_NEEDED":
                say("This change needs a fresh proof.")
                self._prove()
            else:
                raise
        try:
            return self._send(method, request)
        except grpc.RpcError as error:
            if reason_of(error) != "PROOF_NEEDED" or reason == "PROOF_NEEDED":
                raise
        self._prove()
        return self._send(method, request)

    def end(self) -> None:
        """Sign out."""
        self._kept.forget()
        if self._bearer:
            request = account_pb2.EndSessionRequest(session=self._bearer)
            self._bearer = b""
            self.service.EndSession(request, timeout=SENDING_DEADLINE)

    def _send(self, method: grpc.UnaryUnaryMultiCallable[Q, T], request: Q) -> T:
        request.session = self._bearer
        return method(request, timeout=SENDING_DEADLINE)

    def _sign_in(self) -> None:
        request = account_pb2.BeginSessionRequest(user=self._user)
        step = self.service.BeginSession(request, timeout=SENDING_DEADLINE).step

        def send(ticket: bytes, answer: bytes) -> Step:
            answered = self.service.AnswerSession(
                account_pb2.AnswerSessionRequest(ticket=ticket, answer=answer), timeout=SENDING_DEADLINE
            )
            self._bearer = answered.session
            return answered.step

        self._bearer = b""
        converse(step, send)
        self._kept.write(self._bearer)

    def _prove(self) -> None:
        session = self._bearer
        request = account_pb2.BeginProofRequest(session=session)
        step = self.service.BeginProof(request, timeout=SENDING_DEADLINE).step

        def send(ticket: bytes, answer: bytes) -> Step:
            answered = self.service.AnswerProof(
                account_pb2.AnswerProofRequest(session=session, ticket=ticket, answer=answer),
                timeout=SENDING_DEADLINE,
            )
            self._bearer = answered.session or session
            return answered.step

        converse(step, send)
        self._kept.write(self._bearer)


def reason_of(error: grpc.RpcError) -> str:
    """The error's kind for programs (google.rpc.ErrorInfo); empty where there is none."""
    metadata: dict[str, bytes] = dict(error.trailing_metadata() or ())  # type: ignore[arg-type]  # it is pairs
    info = ErrorInfo()
    for detail in Status.FromString(metadata.get(_DETAILS, b"")).details:
        if detail.Unpack(info):
            return str(info.reason)
    return ""
