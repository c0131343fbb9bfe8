"""What a client's certificate says, read from certificates that nobody sane would sign."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from nightlatch.rpc.certificate import read_certificate
from nightlatch.rpc.rights import NotAdmitted


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
