"""From the core's errors to gRPC's status codes: one table, used by every service.

MUST 1: an error that is not in the table is INTERNAL, and its text stays here: it may hold anything.
"""

from __future__ import annotations

import functools
import traceback
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from nightlatch.errors import (
    Conflict,
    Invalid,
    Locked,
    NotFound,
    ProofNeeded,
    Refused,
    SessionEnded,
    Unavailable,
    end_without_memory,
)
from nightlatch.login.ticket import TicketError
from nightlatch.rpc.caller import Forbidden, Unidentified

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nightlatch.rpc.caller import Caller

_CODES: tuple[tuple[type[Exception], grpc.StatusCode], ...] = (
    (Unidentified, grpc.StatusCode.UNAUTHENTICATED),
    (Forbidden, grpc.StatusCode.PERMISSION_DENIED),
    (TicketError, grpc.StatusCode.FAILED_PRECONDITION),
    (SessionEnded, grpc.StatusCode.UNAUTHENTICATED),
    (Invalid, grpc.StatusCode.INVALID_ARGUMENT),
    (Conflict, grpc.StatusCode.FAILED_PRECONDITION),
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (Refused, grpc.StatusCode.PERMISSION_DENIED),
    (Locked, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (Unavailable, grpc.StatusCode.UNAVAILABLE),
)

_REASONS: dict[type[Exception], str] = {ProofNeeded: "PROOF_NEEDED", SessionEnded: "SESSION_ENDED"}
"""What programs read, where it is not the error's own name."""

T = TypeVar("T")

DOMAIN = "nightlatch"
DETAILS = "grpc-status-details-bin"
"""Where gRPC carries a google.rpc.Status with details that programs read."""
RETRY_SECONDS = 1.0
"""When to try again after an outage."""


def code_of(error: Exception) -> grpc.StatusCode:
    """The status code of an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), grpc.StatusCode.INTERNAL)


def details_of(error: Exception, code: grpc.StatusCode, text: str) -> bytes:
    """The error for programs: its kind, and when a retry may help (google.rpc.ErrorInfo and RetryInfo)."""
    number: int = code.value[0]
    details = [AnyMessage()]
    reason = _REASONS.get(type(error), type(error).__name__.upper())
    details[0].Pack(ErrorInfo(reason=reason, domain=DOMAIN))
    seconds = error.retry_after if isinstance(error, Locked) else RETRY_SECONDS
    if isinstance(error, Unavailable) or (isinstance(error, Locked) and seconds > 0):
        delay = Duration()
        delay.FromMilliseconds(int(seconds * 1000))
        retry = AnyMessage()
        retry.Pack(RetryInfo(retry_delay=delay))
        details.append(retry)
    return bytes(Status(code=number, message=text, details=details).SerializeToString())


def where(error: BaseException) -> list[str]:
    """The files, lines and functions an error came through, without its text, which may hold a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-8:]]


def mapped(method: Callable[[Any, Any, Any], Awaitable[T]]) -> Callable[[Any, Any, Any], Awaitable[T]]:
    """Give a service's method the table above. The service has its logger as `log`."""

    @functools.wraps(method)
    async def wrapped(self: Any, request: Any, context: Any) -> T:  # noqa: ANN401, gRPC's own types vary
        try:
            return await method(self, request, context)
        except grpc.aio.AbortError:
            raise
        except MemoryError:
            end_without_memory()
        except Exception as error:  # noqa: BLE001, the edge: every error becomes a status here
            code, text = code_of(error), str(error)
            if code is grpc.StatusCode.INTERNAL:
                self.log.error("rpc.failed", kind=type(error).__name__, where=where(error))
                text = "The daemon failed on this call. Its log says where."
            details = details_of(error, code, text)
        await context.abort(code, text, trailing_metadata=((DETAILS, details),))
        raise AssertionError  # abort never returns; nothing below it may look like an answer

    return wrapped


def answered(method: Callable[[Any, Any, Caller], Awaitable[T]]) -> Callable[[Any, Any, Any], Awaitable[T]]:
    """Give a service's method its caller, and the table above. The service has `addresses` and `log`."""

    @functools.wraps(method)
    def identified(self: Any, request: Any, context: Any) -> Awaitable[T]:  # noqa: ANN401, gRPC's own types vary
        return method(self, request, self.addresses.caller(context.peer()))

    return mapped(identified)
