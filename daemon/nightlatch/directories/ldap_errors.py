"""What ldap3, the sockets below it and the servers say, turned into words of ours. The only place for it.

MUST 1: `invalidCredentials` is the one answer that speaks about the person. All else is an outage.
MUST 2: no message holds anything that was typed. Causes are not chained: ldap3's frames hold passwords.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, TypeVar

from ldap3.core import results
from ldap3.core.exceptions import (
    LDAPExtensionError,
    LDAPSessionTerminatedByServerError,
    LDAPSocketOpenError,
    LDAPSocketReceiveError,
    LDAPSocketSendError,
    LDAPStartTLSError,
)

from nightlatch.errors import NightlatchError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class ServerFailed(NightlatchError):
    """One server can not answer; another may. `reason` goes behind the server's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoVerdict(NightlatchError):
    """The server works, but says neither yes nor no to this person. Another would say the same."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LinkLost(ServerFailed):
    """The connection is gone. On a kept one this says nothing about the server: it may have restarted."""


# X509_V_ERR_* of OpenSSL's x509_vfy.h
_CERTIFICATE = {
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: "its certificate is self-signed, and not in ca_file",
    19: "its certificate comes from an unknown CA",
    20: "its certificate comes from an unknown CA",
    21: "its certificate comes from an unknown CA",
    62: "its certificate is for another host name",
    64: "its certificate is for another address",
}

_FAILURES: tuple[tuple[type[Exception], type[ServerFailed], str], ...] = (
    (TimeoutError, ServerFailed, "did not answer in {seconds:g} s"),
    (ConnectionRefusedError, ServerFailed, "refused the connection"),
    (LDAPStartTLSError, ServerFailed, "refused StartTLS"),
    (LDAPExtensionError, ServerFailed, "refused StartTLS"),
    (ssl.SSLEOFError, LinkLost, "closed the connection"),
    (ssl.SSLZeroReturnError, LinkLost, "closed the connection"),
    (ssl.SSLError, ServerFailed, "failed the TLS handshake"),
    (LDAPSessionTerminatedByServerError, LinkLost, "closed the connection"),
    (ConnectionError, LinkLost, "closed the connection"),
    (LDAPSocketSendError, LinkLost, "closed the connection"),
    (LDAPSocketReceiveError, LinkLost, "closed the connection"),
    (LDAPSocketOpenError, ServerFailed, "can not be reached"),
    (OSError, ServerFailed, "can not be reached"),
)

_SERVER_STATES = {
    results.RESULT_BUSY: "is busy",
    results.RESULT_UNAVAILABLE: "is shutting down, or not ready",
    results.RESULT_STRONGER_AUTH_REQUIRED: "wants TLS: use ldaps://, or set start_tls = true",
    results.RESULT_CONFIDENTIALITY_REQUIRED: "wants TLS: use ldaps://, or set start_tls = true",
}

PARTIAL = "told a part and kept the rest back: raise the size limits of the service account there"

_RESULTS = {
    results.RESULT_TIME_LIMIT_EXCEEDED: "gave up the search: it took too long; are its attributes indexed?",
    results.RESULT_SIZE_LIMIT_EXCEEDED: PARTIAL,
    results.RESULT_ADMIN_LIMIT_EXCEEDED: PARTIAL,
    results.RESULT_UNAVAILABLE_CRITICAL_EXTENSION: "can not answer in pages (RFC 2696)",
    results.RESULT_INSUFFICIENT_ACCESS_RIGHTS: "does not allow this: may the service account search?",
}


def at_the_edge(work: Callable[[], T], seconds: float, handshake: Callable[[], Exception | None]) -> T:
    """Do something with ldap3; raises ServerFailed for whatever goes wrong.

    `seconds` is the limit that holds now, for the message. `handshake` tells why TLS failed, if it did.
    """
    try:
        return work()
    except NightlatchError:
        raise
    except Exception as error:  # noqa: BLE001 - a hostile or broken server brings any exception out of ldap3's decoder
        broken = handshake()
        failure = _failure(broken or error, seconds)
        if broken is not None and isinstance(failure, LinkLost):
            failure = ServerFailed(f"{failure.reason} during the TLS handshake")
    raise failure  # outside of the handler, so that ldap3's exception is not its context


def bad_result(code: int) -> ServerFailed | NoVerdict:
    """What a result code that is no success means.

    Only what is the server's own state makes it a failed server: what one person's entry or name can
    bring about must not turn the servers off for all.
    """
    if code in _SERVER_STATES:
        return ServerFailed(_SERVER_STATES[code])
    name = results.RESULT_CODES.get(code, "an unknown result")
    return NoVerdict(_RESULTS.get(code, f"answered {name} ({code})"))


def _failure(error: Exception, seconds: float) -> ServerFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        return ServerFailed(
            _CERTIFICATE.get(error.verify_code, f"its certificate was not accepted: {error.verify_message}")
        )
    if isinstance(error, LDAPSocketOpenError):
        error = _of_one_address(error)
    for kind, failure, words in _FAILURES:
        if isinstance(error, kind):
            return failure(words.format(seconds=seconds))
    return ServerFailed(f"answered something that is no LDAP ({type(error).__name__})")


def _of_one_address(error: LDAPSocketOpenError) -> Exception:
    """Of a host with several addresses ldap3 tells a list: (error, address) for each. Take the first."""
    match error.args:
        case (_, [(Exception() as first, _), *_]):
            return first
    return error
