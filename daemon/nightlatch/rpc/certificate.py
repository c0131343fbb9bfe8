"""What a client's certificate and its chain say, once TLS has verified signatures, dates and revocation.

MUST 1: identity is a name of the subjectAltName extension (RFC 5280, 4.2.1.6), never the common name.
MUST 2: a certificate that does not say clientAuth (RFC 5280, 4.2.1.12) is no client's.
MUST 3: a chain of which TLS tells nothing is no chain: what can not be looked up later is not let in.
"""

from __future__ import annotations

import functools
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from nightlatch.rpc.rights import NotAdmitted

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_NAMES = 64
CHAINS_REMEMBERED = 256
"""Certificates; those of a few CAs are in all chains."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A verified certificate."""

    names: frozenset[str]
    """ "dns:vpn.example.com", "uri:spiffe://example.com/vpn"."""
    not_after: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Link:
    """A certificate of a chain, as a revocation list names it (RFC 5280, 5.1.2.6)."""

    issuer: x509.Name
    serial: int

    def __str__(self) -> str:
        """For the log: "certificate 4A3F by CN=clients"."""
        return f"certificate {self.serial:X} by {self.issuer.rfc4514_string()}"


@functools.lru_cache(maxsize=1024)
def read_certificate(der: bytes) -> ClientCertificate:
    """Read a verified certificate; raises NotAdmitted for what no client's has.

    Remembered: open connections are looked at every few seconds.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        extensions = certificate.extensions
        usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        names = frozenset(_names(extensions))
    except x509.ExtensionNotFound as error:
        raise NotAdmitted(f"the certificate has no {error.oid._name}") from None  # noqa: SLF001, its only name
    except (
        ValueError,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        x509.InvalidVersion,
    ) as error:
        raise NotAdmitted(f"the certificate can not be read: {type(error).__name__}") from None
    if ExtendedKeyUsageOID.CLIENT_AUTH not in usages:
        raise NotAdmitted("the certificate is not for clients: its extended key usage lacks clientAuth")
    not_after = certificate.not_valid_after_utc.timestamp()
    return ClientCertificate(names, not_after)


def verified_chain(tls: ssl.SSLObject) -> tuple[Link, ...]:
    """The chain that TLS has verified, from the client's certificate to the root.

    Python tells it from 3.13 on, in DER. Before, an object of CPython's own below does (3.10 to 3.12), and
    makes PEM of it; a Python without that lets nobody in: raises NotAdmitted (MUST 3). OpenSSL keeps the
    chain as long as the connection, so nothing of it is kept here.
    """
    teller = tls if hasattr(tls, "get_verified_chain") else getattr(tls, "_sslobj", None)
    told = getattr(teller, "get_verified_chain", lambda: None)()
    if not told:
        raise NotAdmitted("TLS does not tell the certificate's chain, so that it can not be looked up")
    return tuple(
        _read_link(one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes()))
        for one in told
    )


@functools.lru_cache(maxsize=CHAINS_REMEMBERED)
def _read_link(der: bytes) -> Link:
    try:
        certificate = x509.load_der_x509_certificate(der)
        return Link(certificate.issuer, certificate.serial_number)
    except (ValueError, x509.InvalidVersion) as error:
        raise NotAdmitted(f"a CA's certificate can not be read: {type(error).__name__}") from None


def _names(extensions: x509.Extensions) -> Iterator[str]:
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if len(names) > MOST_NAMES:
        raise NotAdmitted(f"the certificate has more than {MOST_NAMES} names")
    for name in names:
        if isinstance(name, x509.DNSName):
            yield f"dns:{name.value.lower()}"
        elif isinstance(name, x509.UniformResourceIdentifier):
            yield f"uri:{name.value}"
