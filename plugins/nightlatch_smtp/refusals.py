"""One table from what goes wrong to what is told, in the server's own words.

MUST 1: `permanent` only when the server said for good (5xx) that it does not take this address or message.
MUST 2: a refused account, an outage and a wrong certificate are the channel's fault, not the address's.
MUST 3: a server's words are shown without the message's values, the address and the account's secrets.
"""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING, NamedTuple

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectResponseError,
    SMTPDataError,
    SMTPHeloError,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from nightlatch.channel import NotSent
from nightlatch_smtp.provider_words import said
from nightlatch_smtp.session import NotEncrypted

if TYPE_CHECKING:
    from nightlatch_smtp.trace import Trace

_FOR_GOOD = range(500, 600)
_TELL_WHERE = frozenset({TimeoutError, SMTPServerDisconnected, ConnectionResetError, BrokenPipeError})


class _Row(NamedTuple):
    kind: type[BaseException]
    words: str
    about_message: bool = False
    """Whether a 5xx speaks of this address or message."""


_TABLE = (
    _Row(SMTPRecipientRefused, "the server refused the address", about_message=True),
    _Row(SMTPDataError, "the server refused the message", about_message=True),
    _Row(SMTPSenderRefused, "the server refused the sender"),
    _Row(SMTPAuthenticationError, "the server refused the account"),
    _Row(SMTPHeloError, "the server refused the greeting"),
    _Row(SMTPConnectResponseError, "the server takes no connection"),
    _Row(SMTPResponseException, "the server refused"),
    _Row(NotEncrypted, "the server does not offer STARTTLS, and nothing is sent in the clear"),
    _Row(SMTPNotSupported, "the server can not be used"),
    _Row(ssl.SSLCertVerificationError, "the server's certificate is not trusted"),
    _Row(ssl.SSLError, "TLS with the server failed"),
    _Row(TimeoutError, "the server did not answer in time"),
    _Row(SMTPServerDisconnected, "the server cut the connection"),
    _Row(ConnectionResetError, "the server cut the connection"),
    _Row(BrokenPipeError, "the server cut the connection"),
    _Row(ConnectionRefusedError, "nothing listens at the server's port"),
    _Row(socket.gaierror, "the server's name can not be resolved"),
    _Row(Exception, "the server can not be reached"),
)


def not_sent(error: Exception, trace: Trace) -> NotSent:
    """The error in words of the contract."""
    cause = _root(error)
    row = next(row for row in _TABLE if isinstance(cause, row.kind))
    code = cause.code if isinstance(cause, SMTPResponseException) else 0
    words = f"{row.words} {trace.where}" if row.kind in _TELL_WHERE else row.words
    detail = said(_detail(cause, code), trace.hidden)
    return NotSent(
        f"{words}: {detail}" if detail else words, permanent=row.about_message and code in _FOR_GOOD
    )


def _root(error: BaseException) -> BaseException:
    """What lies under the library's own connect errors: the certificate, the name, the refused port."""
    while isinstance(error.__cause__, OSError) and not isinstance(error, SMTPResponseException):
        error = error.__cause__
    return error


def _detail(cause: BaseException, code: int) -> str:
    if isinstance(cause, SMTPResponseException):
        return f"{code} {cause.message}"
    if isinstance(cause, ssl.SSLError):
        return getattr(cause, "verify_message", "") or cause.reason or ""
    if isinstance(cause, SMTPNotSupported):
        return cause.message
    if isinstance(cause, socket.gaierror):
        return cause.strerror or ""
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)
    return ""
