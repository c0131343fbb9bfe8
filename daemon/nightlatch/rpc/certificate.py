"""What a client's certificate says, once TLS has verified its signature, dates and revocation.

MUST 1: identity is a name of the subjectAltName extension (RFC 5280, 4.2.1.6), never the common name.
MUST 2: a certificate that does not say clientAuth (RFC 5280, 4.2.1.12) is no client's.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from nightlatch.rpc.rights import NotAdmitted

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_NAMES = 64


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A verified certificate."""

    names: frozenset[str]
    """ "dns:vpn.example.com", "uri:spiffe://example.com/vpn"."""
    issuer: x509.Name
    serial: int
    not_after: float
    """Unix seconds."""


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
        issuer = certificate.issuer
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
    return ClientCertificate(names, issuer, certificate.serial_number, not_after)


def _names(extensions: x509.Extensions) -> Iterator[str]:
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if len(names) > MOST_NAMES:
        raise NotAdmitted(f"the certificate has more than {MOST_NAMES} names")
    for name in names:
        if isinstance(name, x509.DNSName):
            yield f"dns:{name.value.lower()}"
        elif isinstance(name, x509.UniformResourceIdentifier):
            yield f"uri:{name.value}"
