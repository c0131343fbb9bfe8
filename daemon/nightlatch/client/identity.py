"""The application's certificate and key, and the CA of the daemon's: looked at before gRPC gets them.

gRPC says of a bad file only that no connection was made; here it is said which file, and what is wrong.

MUST 1: no words of these errors hold a piece of a key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from nightlatch.client.errors import BadCertificate

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from os import PathLike

    State = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """What TLS needs, in PEM."""

    certificate: bytes
    key: bytes = field(repr=False)
    ca: bytes


class Files:
    """The three files. They may be renewed while the application runs."""

    def __init__(
        self,
        cert: str | PathLike[str],
        key: str | PathLike[str],
        ca: str | PathLike[str],
        now: Callable[[], dt.datetime],
    ) -> None:
        """`now` gives the time, with its zone."""
        missing = [name for name, path in (("cert", cert), ("key", key), ("ca", ca)) if not str(path)]
        if missing:
            raise BadCertificate(
                f"{' and '.join(missing)} missing. A daemon is reached over TLS with a client certificate: "
                'Client("mfa.example.com:7443", cert="app.pem", key="app.key", ca="ca.pem").'
            )
        self._cert, self._key, self._ca = Path(cert), Path(key), Path(ca)
        self._now = now

    def state(self) -> State:
        """Changes when one of the files does; empty when one is not there."""
        try:
            found = [path.stat() for path in (self._cert, self._key, self._ca)]
        except OSError:
            return ()
        return tuple((one.st_ino, one.st_size, one.st_mtime_ns) for one in found)

    def read(self) -> Identity:
        """The files' content, found right; raises BadCertificate."""
        identity = Identity(_content(self._cert), _content(self._key), _content(self._ca))
        leaf = self._certificate(identity.certificate)
        self._check_key(identity.key, leaf)
        try:
            x509.load_pem_x509_certificates(identity.ca)
        except ValueError:
            raise BadCertificate(f"{self._ca}: no certificate in PEM is in it.") from None
        return identity

    def _certificate(self, pem: bytes) -> x509.Certificate:
        path = self._cert
        try:
            leaf = x509.load_pem_x509_certificates(pem)[0]
            extensions = leaf.extensions
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            raise BadCertificate(f"{path}: no certificate in PEM is in it.") from None
        if leaf.not_valid_after_utc <= self._now():
            raise BadCertificate(
                f"{path}: it ended at {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC. Renew it."
            )
        if leaf.not_valid_before_utc > self._now():
            raise BadCertificate(
                f"{path}: it begins at {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC. Is this clock right?"
            )
        kinds = {type(extension.value): extension.value for extension in extensions}
        usages = kinds.get(x509.ExtendedKeyUsage)
        if not isinstance(usages, x509.ExtendedKeyUsage) or ExtendedKeyUsageOID.CLIENT_AUTH not in usages:
            raise BadCertificate(
                f"{path}: it is not for clients: its extended key usage lacks clientAuth. Have one signed."
            )
        if x509.SubjectAlternativeName not in kinds:
            raise BadCertificate(
                f"{path}: it has no subjectAltName, and daemons look at nothing else. Have one signed with "
                "the san of the application's [[clients]] table."
            )
        return leaf

    def _check_key(self, pem: bytes, leaf: x509.Certificate) -> None:
        path = self._key
        try:
            key = load_pem_private_key(pem, None)
        except TypeError:
            raise BadCertificate(f"{path}: it has a passphrase, which nobody here can type.") from None
        except (ValueError, UnsupportedAlgorithm):
            raise BadCertificate(f"{path}: no private key in PEM is in it.") from None
        if key.public_key() != leaf.public_key():
            raise BadCertificate(f"{path}: it is not the key of {self._cert}.")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCertificate(f"{path}: it can not be read: {error.strerror}.") from None
