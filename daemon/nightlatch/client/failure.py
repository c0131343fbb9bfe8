"""Reads a failed call: whether it reached a daemon, what that said, and whether to make the call again.

MUST 1: a call that may have had its effect is made again only if making it twice is the same as once.
MUST 2: what is not known is unavailable; it is never a verdict on the person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from nightlatch.client.errors import (
    BadCertificate,
    ClientError,
    Denied,
    Expired,
    InvalidRequest,
    NotFound,
    TooMany,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_DETAILS = "grpc-status-details-bin"
_NOT_CONNECTED = ("failed to connect to all addresses", "errors resolving")
"""How gRPC's words begin where no connection was made; after any other failure the call may have arrived."""
_LOST = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
}
"""What gRPC makes of connections that break and of answers that do not come."""
_ERRORS: dict[grpc.StatusCode, type[ClientError]] = {
    grpc.StatusCode.PERMISSION_DENIED: Denied,
    grpc.StatusCode.UNAUTHENTICATED: Denied,
    grpc.StatusCode.UNIMPLEMENTED: Denied,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.FAILED_PRECONDITION: Expired,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.RESOURCE_EXHAUSTED: TooMany,
}
_CERTIFICATES = (
    ("CERTIFICATE_VERIFY_FAILED: certificate has expired", "the daemon's certificate has expired."),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "no CA in the ca file has signed the daemon's certificate. Give its CA, or see who answers there.",
    ),
    (
        "Hostname Verification Check failed",
        "the daemon's certificate is for another name. Use one of its subjectAltName, as the target.",
    ),
)
"""What gRPC says of a daemon's certificate, and what it means."""
_HUNG_UP = (
    "the daemon hung up on this application's certificate, or is just stopping.\n"
    "Its log says which, and why. Common: the certificate is of another CA than client_ca_file, has expired, "
    "is revoked, no [[clients]] table has its subjectAltName as san, or the table's connections are all open."
)


class Lost(grpc.RpcError):
    """A call that was cancelled, and not by this side."""

    def code(self) -> grpc.StatusCode:
        """As gRPC would say."""
        return grpc.StatusCode.CANCELLED

    def details(self) -> str:
        """In words."""
        return "the daemon has cancelled the call"

    def trailing_metadata(self) -> tuple[()]:
        """Nothing came with it."""
        return ()


@runtime_checkable
class Answered(Protocol):
    """A call that ended badly; grpcio's errors, blocking and not, have these."""

    def code(self) -> grpc.StatusCode:
        """How it ended."""

    def details(self) -> str | None:
        """Why, in words."""

    def trailing_metadata(self) -> Iterable[tuple[str, str | bytes]] | None:
        """What came with it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that gave no answer."""

    code: grpc.StatusCode
    words: str
    reason: str = ""
    """The daemon's own word for it; empty when it is gRPC's."""
    retry_after: float = 0.0
    """Seconds, as the daemon told; 0 where it did not."""

    @property
    def connected(self) -> bool:
        """Whether the call may have reached a daemon."""
        return not self.words.startswith(_NOT_CONNECTED)

    @property
    def told(self) -> bool:
        """Whether a daemon said so; else the target is away, or as good as that."""
        return bool(self.reason) or self.code not in _LOST

    @property
    def wrong_certificate(self) -> str:
        """What is wrong with the daemon's certificate; empty where nothing is known to be."""
        if self.connected:
            return ""
        return next((meaning for sign, meaning in _CERTIFICATES if sign in self.words), "")

    def may_repeat(self, *, harmless: bool) -> bool:
        """Whether to make the call again. `harmless`: making it twice is the same as making it once."""
        if self.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return self.retry_after > 0
        if self.told:
            return harmless and self.code is grpc.StatusCode.UNAVAILABLE
        return harmless or not self.connected

    def error(self, target: str) -> ClientError:
        """The failure as an error of this package."""
        if self.wrong_certificate:
            return BadCertificate(f"{target}: {self.wrong_certificate}")
        kind = _ERRORS.get(self.code)
        if kind is TooMany:
            return TooMany(self.words, self.retry_after)
        if kind is not None:
            return kind(self.words)
        return Unavailable(f"{target}: {self._outage()}", self.retry_after)

    @property
    def hung_up(self) -> bool:
        """Whether somebody took the connection, and ended it before it was of use."""
        return not self.connected and ("Socket closed" in self.words or "Connection reset" in self.words)

    @property
    def tells(self) -> int:
        """How much it explains: of several failures of one call, the one with most is worth showing.

        A name with several addresses is tried at each, and gRPC tells what the last one said.
        """
        return 3 * bool(self.wrong_certificate) or 2 * self.told or 1 * self.hung_up

    def _outage(self) -> str:
        if self.told:
            return self.words
        if self.hung_up:
            return _HUNG_UP
        return f"no answer ({self.code.name}: {self.words})"


def read_failure(error: grpc.RpcError) -> Failure:
    """What a failed call says."""
    if not isinstance(error, Answered):
        return Failure(grpc.StatusCode.UNKNOWN, type(error).__name__)
    reason, retry_after = "", 0.0
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            reason, retry_after = _read_details(value)
    return Failure(error.code(), error.details() or "", reason, retry_after)


def _read_details(encoded: bytes) -> tuple[str, float]:
    """Reason and delay of a google.rpc.Status; nothing of what can not be read."""
    reason, delay = "", 0.0
    info, retry = ErrorInfo(), RetryInfo()
    try:
        for detail in Status.FromString(encoded).details:
            if detail.Unpack(info):
                reason = info.reason
            elif detail.Unpack(retry):
                delay = max(0.0, retry.retry_delay.ToMilliseconds() / 1000)
    except (DecodeError, ValueError):
        return "", 0.0
    return reason, delay
