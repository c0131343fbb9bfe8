"""The listener's certificate, the authorities that sign its clients', and what these have revoked.

MUST 1: TLS 1.3 or nothing (RFC 8446), and no connection without a client's certificate.
MUST 2: with a revocation list, every certificate of a chain is looked up, once more for open connections
        when the lists change; a missing or outdated list lets nobody in (RFC 5280, 6.3).
MUST 3: no session is resumed: a ticket would lead past a revocation.
MUST 4: nothing here asks a person for a passphrase.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from nightlatch.errors import SettingsProblems

if TYPE_CHECKING:
    from pathlib import Path

    from nightlatch.rpc.certificate import Link

LARGEST_FILE = 32 * 1024 * 1024
"""Bytes; a revocation list of half a million certificates has about 20 million."""
_CRL_END = b"-----END X509 CRL-----"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files that TLS needs, all in PEM."""

    certificate: Path
    key: Path
    client_ca: Path
    crl: Path | None

    def state(self) -> tuple[tuple[int, int, int] | None, ...]:
        """Changes when one of the files does."""
        return tuple(_state(path) for path in (self.certificate, self.key, self.client_ca, self.crl))


@dataclass(frozen=True, slots=True)
class Trust:
    """The files as they were read."""

    context: ssl.SSLContext
    authorities: bytes
    """A digest of the authorities' certificates."""
    lists: tuple[x509.CertificateRevocationList, ...]
    certificate_until: float
    """When the listener's own certificate ends, in Unix seconds."""
    lists_until: float | None
    """When the first revocation list is outdated; None without lists."""

    def wrong_with(self, link: Link) -> str:
        """Why a certificate of a chain that was accepted once is not any more; empty where it is (MUST 2).

        Takes up to 60 ms for a list of half a million certificates.
        """
        lists = [one for one in self.lists if one.issuer == link.issuer]
        if self.lists and not lists:
            return f"there is no revocation list for {link}"
        try:
            revoked = any(
                one.get_revoked_certificate_by_serial_number(link.serial) is not None for one in lists
            )
        except ValueError:  # an entry of the list
            return f"the revocation list for {link} can not be read"
        return f"{link} is revoked" if revoked else ""


def open_trust(files: TlsFiles) -> Trust:
    """Read the files; raises SettingsProblems, each named by its setting ("certificate_file")."""
    problems: list[tuple[str, str]] = []
    chain = _certificates(files.certificate, "certificate_file", problems)
    authorities = _certificates(files.client_ca, "client_ca_file", problems)
    _check_key(files.key, chain, problems)
    lists = _lists(files.crl, authorities, problems) if files.crl and authorities else ()
    if problems:
        raise SettingsProblems(tuple(problems))
    until = [one.next_update_utc.timestamp() for one in lists if one.next_update_utc is not None]
    return Trust(
        context=_context(files),
        authorities=hashlib.sha256(b"".join(one.public_bytes(Encoding.DER) for one in authorities)).digest(),
        lists=lists,
        certificate_until=chain[0].not_valid_after_utc.timestamp(),
        lists_until=min(until) if until else None,
    )


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0
    context.set_alpn_protocols(["h2"])
    try:
        context.load_cert_chain(files.certificate, files.key, password=lambda: b"")
        context.load_verify_locations(files.client_ca)
        if files.crl is not None:
            context.load_verify_locations(files.crl)
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    except (ssl.SSLError, OSError) as error:  # the files were changed since they were looked at, or worse
        raise SettingsProblems(
            (("certificate_file", f"TLS refuses these files: {error.strerror}."),)
        ) from None
    return context


def _read(path: Path, setting: str, problems: list[tuple[str, str]]) -> bytes | None:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        problems.append((setting, f"{path} can not be read: {error.strerror}."))
        return None
    if len(content) > LARGEST_FILE:
        problems.append((setting, f"{path} is larger than {LARGEST_FILE} bytes."))
        return None
    return content


def _certificates(path: Path, setting: str, problems: list[tuple[str, str]]) -> tuple[x509.Certificate, ...]:
    content = _read(path, setting, problems)
    if content is None:
        return ()
    try:
        return tuple(x509.load_pem_x509_certificates(content))
    except ValueError:
        begins = "It must begin with -----BEGIN CERTIFICATE-----."
        problems.append((setting, f"{path} holds no certificate in PEM.\n{begins}"))
        return ()


def _check_key(path: Path, chain: tuple[x509.Certificate, ...], problems: list[tuple[str, str]]) -> None:
    content = _read(path, "key_file", problems)
    if content is None:
        return
    try:
        key = load_pem_private_key(content, None).public_key()
    except TypeError:
        remedy = "Store it without, readable by the daemon alone, or as a systemd credential."
        problems.append(("key_file", f"{path} is locked by a passphrase.\n{remedy}"))
        return
    except ValueError:
        problems.append(("key_file", f"{path} holds no private key in PEM."))
        return
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if chain and chain[0].public_key().public_bytes(*form) != key.public_bytes(*form):
        remedy = (
            "The listener's own certificate comes first in certificate_file, then those between it and a CA."
        )
        problems.append(("key_file", f"{path} is not the key of the certificate.\n{remedy}"))


def _lists(
    path: Path, authorities: tuple[x509.Certificate, ...], problems: list[tuple[str, str]]
) -> tuple[x509.CertificateRevocationList, ...]:
    content = _read(path, "crl_file", problems)
    if content is None:
        return ()
    pieces = [piece + _CRL_END for piece in content.split(_CRL_END)[:-1]]
    try:
        lists = tuple(x509.load_pem_x509_crl(piece) for piece in pieces)
    except ValueError:
        lists = ()
    if not lists:
        problems.append(
            (
                "crl_file",
                f"{path} holds no revocation list in PEM.\nIt must begin with -----BEGIN X509 CRL-----.",
            )
        )
        return ()
    for authority in authorities:
        if not any(_is_by(one, authority) for one in lists):
            name = authority.subject.rfc4514_string()
            remedy = "With a crl_file, every CA in client_ca_file needs its list, however empty."
            problems.append(("crl_file", f"{path} has no revocation list by {name}.\n{remedy}"))
    return lists


def _is_by(one: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    try:
        return one.issuer == authority.subject and one.is_signature_valid(authority.public_key())  # type: ignore[arg-type]  # a key of another kind raises TypeError
    except TypeError:
        return False


def _state(path: Path | None) -> tuple[int, int, int] | None:
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return None
    return status and (status.st_ino, status.st_size, status.st_mtime_ns)
