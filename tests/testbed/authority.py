"""A certificate authority for clients: it signs, revokes, and makes every mistake that a test asks for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from testbed.pki import Pair

if TYPE_CHECKING:
    from pathlib import Path

_DAY = dt.timedelta(days=1)
CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)
SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)


@dataclass(frozen=True)
class Order:
    """What shall be in a certificate."""

    sans: tuple[str, ...] = ()
    """Each "dns:…" or "uri:…"; none for a certificate without the extension."""
    common_name: str = "client"
    usages: tuple[x509.ObjectIdentifier, ...] = CLIENT
    days: float = 30
    self_signed: bool = False


class Authority:
    """A CA with its files in a folder."""

    def __init__(self, folder: Path, name: str, above: Authority | None = None) -> None:
        """`above` for an intermediate CA; its list is then in the file of the one above it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._revoked: list[int] = []
        self._above = above
        self._below: list[Authority] = []
        self.file = folder / f"{name}.crt"
        self.crl_file = folder / f"{name}.crl"
        signer = above or self
        builder = _builder(self._name, signer._name, self._key.public_key(), 30)
        length = 1 if above is None else 0
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=length), critical=True)
        self.file.write_bytes(_pem(builder.sign(signer._key, hashes.SHA256())))
        self.file.chmod(0o644)
        self.publish()

    def intermediate(self, name: str) -> Authority:
        """A CA whose certificate this one has signed; publishes both lists."""
        made = Authority(self._folder, name, self)
        self._below.append(made)
        self.publish()
        return made

    def sign(self, name: str, order: Order) -> Pair:
        """A certificate and its key, in files called after `name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, order.common_name)])
        issuer, signer = (subject, key) if order.self_signed else (self._name, self._key)
        builder = _builder(subject, issuer, key.public_key(), order.days)
        if order.usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(order.usages), critical=False)
        if order.sans:
            names = x509.SubjectAlternativeName([_name(san) for san in order.sans])
            builder = builder.add_extension(names, critical=False)
        pair = Pair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        chain = b"" if self._above is None else self.file.read_bytes()
        write_whole(pair.certificate, _pem(builder.sign(signer, hashes.SHA256())) + chain)
        write_whole(
            pair.key,
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            mode=0o600,
        )
        return pair

    def revoke(self, one: Pair | Authority) -> None:
        """Revoke a certificate, or that of an intermediate CA, and publish the new list."""
        file = one.file if isinstance(one, Authority) else one.certificate
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        self._revoked.append(certificate.serial_number)
        self.publish()

    def publish(self, days: float = 7) -> None:
        """Write the list of what is revoked, and those of the CAs below; good for `days`."""
        lists = [one.list_of_revoked(days) for one in (self, *self._below)]
        write_whole(self.crl_file, b"".join(lists))
        if self._above is not None and self in self._above._below:
            self._above.publish(days)

    def list_of_revoked(self, days: float = 7) -> bytes:
        """The list of what is revoked, in PEM."""
        now = dt.datetime.now(dt.UTC)
        builder = x509.CertificateRevocationListBuilder(issuer_name=self._name)
        builder = builder.last_update(now - 2 * _DAY).next_update(now + days * _DAY)
        for serial in self._revoked:
            entry = x509.RevokedCertificateBuilder(serial_number=serial, revocation_date=now - _DAY)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Put a new file in a file's place, as careful programs do."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.chmod(mode)
    new.rename(path)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: float
) -> x509.CertificateBuilder:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(until - 60 * _DAY).not_valid_after(until)


def _name(san: str) -> x509.GeneralName:
    kind, _, name = san.partition(":")
    return x509.DNSName(name) if kind == "dns" else x509.UniformResourceIdentifier(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
