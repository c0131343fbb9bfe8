"""What a client's certificate says, read from certificates that nobody sane would sign."""

from __future__ import annotations

import datetime as dt
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from nightlatch.rpc.certificate import read_certificate, verified_chain
from nightlatch.rpc.rights import NotAdmitted
from testbed.authority import CLIENT, SERVER, Authority, Order

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("names", ["3002a300", "3005a303020101", "30030101ff", "30048202ffff", "ff"])
def test_names_that_can_not_be_read_admit_nobody(names: str) -> None:
    """API-01: an X.400 address, or what is no name at all, is refused: an error would leave a connection."""
    key, now = generate_private_key(SECP256R1()), dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(x509.Name([]), x509.Name([]), key.public_key()).serial_number(5)
    builder = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    odd = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, bytes.fromhex(names))
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    signed = builder.add_extension(odd, critical=False).add_extension(usage, critical=False)
    with pytest.raises(NotAdmitted, match="can not be read"):
        read_certificate(signed.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def handshake(folder: Path) -> ssl.SSLObject:
    """The listener's side of a connection that was verified: client, intermediate, root."""
    root = Authority(folder, "root")
    pair = root.intermediate("middle").sign(
        "both", Order(("dns:vpn.example.com",), usages=(*CLIENT, *SERVER))
    )
    sides = []
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    for purpose, bios in ((ssl.PROTOCOL_TLS_SERVER, (into, out)), (ssl.PROTOCOL_TLS_CLIENT, (out, into))):
        context = ssl.SSLContext(purpose)
        context.check_hostname, context.verify_mode = False, ssl.CERT_REQUIRED
        context.load_verify_locations(root.file)
        context.load_cert_chain(pair.certificate, pair.key)
        sides.append(context.wrap_bio(*bios, server_side=purpose is ssl.PROTOCOL_TLS_SERVER))
    for _ in range(3):
        for side in reversed(sides):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return sides[0]


class FromDer:
    """TLS as Python 3.13 tells of it, and as nobody does."""

    def __init__(self, chain: list[bytes] | None) -> None:
        self.get_verified_chain = lambda: chain


def test_a_chain_is_read_in_every_python(tmp_path: Path) -> None:
    """API-01, MUST 2 of trust: issuer and serial number of each certificate, whichever way TLS tells them."""
    tls = handshake(tmp_path)
    chain = verified_chain(tls)
    files = [tmp_path / f"{name}.crt" for name in ("both", "middle", "root")]
    shown = [x509.load_pem_x509_certificate(file.read_bytes()) for file in files]
    assert [(one.issuer, one.serial) for one in chain] == [(one.issuer, one.serial_number) for one in shown]
    told = FromDer([one.public_bytes(Encoding.DER) for one in shown])
    assert verified_chain(cast("Any", told)) == chain


@pytest.mark.parametrize("tls", [object(), FromDer(None), FromDer([])])
def test_a_chain_that_is_not_told_admits_nobody(tls: object) -> None:
    """MUST 3: an interpreter that does not tell chains lets nobody in, nor does a resumed session."""
    with pytest.raises(NotAdmitted, match="does not tell"):
        verified_chain(cast("Any", tls))


def test_a_chain_that_can_not_be_read_admits_nobody() -> None:
    """API-01: an error would leave the connection."""
    with pytest.raises(NotAdmitted, match="can not be read"):
        verified_chain(cast("Any", FromDer([b"\x30\x00"])))
