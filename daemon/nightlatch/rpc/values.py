"""Times, accounts and new credentials, as the messages of several services have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from nightlatch.v1 import admin_pb2, enrollment_pb2

if TYPE_CHECKING:
    from nightlatch.enrollment import Begun
    from nightlatch.model import Account


def timestamp(seconds: float | None) -> Timestamp | None:
    """Unix seconds as the API's time, to the microsecond; None, a field that is not set, for None."""
    if seconds is None:
        return None
    found = Timestamp()
    found.FromMicroseconds(round(seconds * 1e6))
    return found


def account_message(account: Account) -> admin_pb2.Account:
    """An account."""
    return admin_pb2.Account(directory=account.directory, stable_id=account.stable_id, name=account.name)


def begun_message(begun: Begun) -> enrollment_pb2.BeginEnrollmentResponse:
    """A new credential, and what to show once."""
    return enrollment_pb2.BeginEnrollmentResponse(
        ticket=begun.ticket,
        qr_payload=begun.enrollment.qr_payload,
        details=(enrollment_pb2.Detail(name=name, value=value) for name, value in begun.enrollment.details),
        prompt=begun.prompt,
        credential_id=begun.credential_id,
    )
