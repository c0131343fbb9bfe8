"""Certificates for tests: a CA, what it signed for right and for wrong, and a CA that nobody trusts."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both in PEM files that everybody may read (they are examples)."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Pki:
    """All certificates of a test run."""

    ca: Path
    """The CA that signed `server`, `expired`, `wrong_host`, `client` and `other_client`."""
    other_ca: Path
    server: Pair
    """For localhost, 127.0.0.1 and ::1."""
    expired: Pair
    """The same, until yesterday."""
    wrong_host: Pair
    """For elsewhere.test and 192.0.2.1 only."""
    untrusted: Pair
    """Like `server`, signed by `other_ca`."""
    client: Pair
    """A client called nl-client."""
    other_client: Pair
    """A client called nl-other."""
    controller: Pair
    """For the domain controllers dc1.nl.test and dc2.nl.test, and for `controller_addresses`."""
    controller_addresses: tuple[str, ...] = tuple(f"127.77.0.{number}" for number in range(1, 41))
    """Loopback addresses that a domain controller may use."""


class _Authority:
    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.crt"
        builder = _builder(self._name, self._name, self._key.public_key(), _now() + 30 * _DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.file.write_bytes(_pem(builder.sign(self._key, hashes.SHA256())))

    def pair(
        self, name: str, hosts: tuple[str, ...], *, days: int = 30, client: bool = False, subject: str = ""
    ) -> Pair:
        """Sign a certificate for `hosts` that ends in `days` days."""
        key = ec.generate_private_key(ec.SECP256R1())
        common = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject or hosts[0])])
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = _builder(common, self._name, key.public_key(), _now() + days * _DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False
        )
        pair = Pair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        pair.certificate.write_bytes(_pem(builder.sign(self._key, hashes.SHA256())))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        pair.key.chmod(0o644)
        return pair


def make_pki(folder: Path) -> Pki:
    """Make all certificates in `folder`, which others must be able to enter; takes a few milliseconds."""
    folder.mkdir(parents=True, exist_ok=True)
    ours, other = _Authority(folder, "nl-test-ca"), _Authority(folder, "nl-other-ca")
    here = ("localhost", "127.0.0.1", "::1")
    controllers = ("dc1.nl.test", "dc2.nl.test", *Pki.controller_addresses)
    return Pki(
        ca=ours.file,
        other_ca=other.file,
        server=ours.pair("server", here),
        expired=ours.pair("expired", here, days=-1),
        wrong_host=ours.pair("wrong-host", ("elsewhere.test", "192.0.2.1")),
        untrusted=other.pair("untrusted", here),
        client=ours.pair("client", ("nl-client",), client=True),
        other_client=ours.pair("other-client", ("nl-other",), client=True),
        controller=ours.pair("controller", controllers),
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, until: dt.datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key)
    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(min(_now(), until) - _DAY)
        .not_valid_after(until)
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
