"""The calls of the API, and what their answers mean. Pure; the blocking and the async client send them.

MUST 1: an answer that this client does not understand is never a yes.
MUST 2: each verification has a request_id, so that asking again after a lost answer is no second attempt.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from nightlatch.client.errors import InvalidRequest, Unavailable
from nightlatch.client.receipts import MAX_AGE, Keys
from nightlatch.client.results import CodeResult, DeviceResult, SentCode, Verification
from nightlatch.v1 import keys_pb2, login_pb2, verification_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

A = TypeVar("A")

MAX_CODE = 256
"""Bytes; nothing longer is a code of anybody."""
_VERIFICATION = "/nightlatch.v1.VerificationService/"
_VERIFICATIONS = {
    verification_pb2.VERIFICATION_VERIFIED: Verification.VERIFIED,
    verification_pb2.VERIFICATION_WRONG: Verification.WRONG,
    verification_pb2.VERIFICATION_LOCKED: Verification.LOCKED,
    verification_pb2.VERIFICATION_NOT_ENROLLED: Verification.NOT_ENROLLED,
}


@dataclass(frozen=True, slots=True)
class Call(Generic[A]):
    """One call: to be sent as it is, as often as it has to be."""

    path: str
    request: Message = field(repr=False)
    read: Callable[[bytes], A]
    """Makes the answer of its bytes."""
    harmless: bool
    """Whether making it twice is the same as making it once."""


@dataclass(frozen=True, slots=True)
class Where:
    """What the person signs in to, and where from."""

    service: str = ""
    """Empty for the application's own name. The application must have the right to name another."""
    remote_host: str = ""
    """The person's address. Counts only from applications that may say it (`may_set_source`)."""

    def origin(self) -> login_pb2.Origin | None:
        """The same as a message."""
        return login_pb2.Origin(remote_host=self.remote_host) if self.remote_host else None


NOWHERE = Where()


def to_bytes(message: Message) -> bytes:
    """A message as it travels."""
    return message.SerializeToString()


def can_be_a_code(code: str) -> bool:
    """Whether a daemon would look at it at all: what a form left empty is a wrong code, and no error.

    Raises InvalidRequest for what is no text: a code as a number has lost its first zeros.
    """
    return 1 <= len(built(lambda: code.encode(errors="replace"))) <= MAX_CODE


def built(make: Callable[[], A]) -> A:
    """The message that `make` makes; raises InvalidRequest, without what was in it."""
    try:
        return make()
    except (AttributeError, TypeError, ValueError):
        raise InvalidRequest(
            "A value has the wrong type, or is no text in Unicode: names, codes and services are str, "
            "tickets are bytes."
        ) from None


def verify_code(  # noqa: D103, the client's own words are the documentation
    user: str, code: str, ticket: bytes, where: Where, *, request_id: str, receipt: bool
) -> Call[verification_pb2.VerifyCodeResponse]:
    request = built(
        lambda: verification_pb2.VerifyCodeRequest(
            user=user,
            code=code,
            request_id=request_id or str(uuid.uuid4()),
            service=where.service,
            origin=where.origin(),
            ticket=ticket,
            wants_receipt=receipt,
        )
    )
    read = verification_pb2.VerifyCodeResponse.FromString
    return Call(f"{_VERIFICATION}VerifyCode", request, read, harmless=True)


def send_code(  # noqa: D103, as above
    user: str, factor: str, credential_id: str, where: Where
) -> Call[verification_pb2.SendCodeResponse]:
    request = built(
        lambda: verification_pb2.SendCodeRequest(
            user=user,
            factor=factor,
            credential_id=credential_id,
            service=where.service,
            origin=where.origin(),
        )
    )
    # Made twice, it would send two messages.
    return Call(
        f"{_VERIFICATION}SendCode", request, verification_pb2.SendCodeResponse.FromString, harmless=False
    )


def check_device(  # noqa: D103, as above
    user: str, device_token: str, where: Where, *, receipt: bool
) -> Call[verification_pb2.CheckDeviceResponse]:
    request = built(
        lambda: verification_pb2.CheckDeviceRequest(
            user=user,
            evidence=[login_pb2.Evidence(device_token=device_token)],
            service=where.service,
            origin=where.origin(),
            wants_receipt=receipt,
        )
    )
    # The old token is good for some seconds after it was replaced, for just this.
    return Call(
        f"{_VERIFICATION}CheckDevice", request, verification_pb2.CheckDeviceResponse.FromString, harmless=True
    )


def get_keys() -> Call[keys_pb2.GetKeysResponse]:  # noqa: D103, as above
    request = keys_pb2.GetKeysRequest()
    return Call(
        "/nightlatch.v1.KeyService/GetKeys", request, keys_pb2.GetKeysResponse.FromString, harmless=True
    )


def keys_of(answer: keys_pb2.GetKeysResponse) -> Keys:
    """The keys, and how long they may be used."""
    return Keys(answer.jwks, answer.issuer, float(answer.max_age_seconds) or MAX_AGE)


def code_result(answer: verification_pb2.VerifyCodeResponse, now: dt.datetime) -> CodeResult:
    """What a code was worth; raises Unavailable for a verdict that this client does not know."""
    verification = _known(answer.verification)
    return CodeResult(
        verification,
        answer.factor,
        answer.user,
        answer.retry_after_seconds,
        lock_end(answer.retry_after_seconds, now) if verification is Verification.LOCKED else None,
        answer.message,
        answer.reference,
        answer.receipt,
        answer.ticket,
    )


def device_result(answer: verification_pb2.CheckDeviceResponse) -> DeviceResult:
    """Whether the device is trusted; raises Unavailable as above."""
    trusted = _known(answer.verification) is Verification.VERIFIED
    return DeviceResult(trusted, answer.device_token, answer.receipt, answer.reference)


def sent_code(answer: verification_pb2.SendCodeResponse) -> SentCode:
    """The code that is on its way."""
    return SentCode(answer.ticket, answer.prompt)


def lock_end(seconds: int, now: dt.datetime) -> dt.datetime | None:
    """When a lock ends; None when only an administrator ends it."""
    return now + dt.timedelta(seconds=seconds) if seconds else None


def _known(verification: verification_pb2.Verification.ValueType) -> Verification:
    known = _VERIFICATIONS.get(verification)
    if known is None:
        raise Unavailable(f"The daemon gave a verdict that this client does not know: {verification}.")
    return known
