"""Certificates that can not work are found before gRPC gets them, each with words that help."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nightlatch.client import AsyncClient, BadCertificate, Client, InvalidRequest
from testbed.authority import SERVER, Authority, Order
from testbed.pki import Pair

if TYPE_CHECKING:
    from pathlib import Path

TARGET = "mfa.example.com:7443"
GOOD = Order(("dns:shop.example.com",))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Signs the application's certificates; its own stands in for the daemon's CA."""
    return Authority(tmp_path / "ca", "ca")


def words(authority: Authority, pair: Pair, ca: Path | None = None) -> str:
    """What both clients say of these files; empty for nothing."""
    said = []
    for kind in (Client, AsyncClient):
        try:
            kind(TARGET, cert=pair.certificate, key=pair.key, ca=ca or authority.file)
            said.append("")
        except BadCertificate as error:
            said.append(str(error))
    assert said[0] == said[1]
    return said[0]


def test_good_files_are_good(authority: Authority) -> None:
    """A client certificate, its key, and a CA."""
    assert words(authority, authority.sign("good", GOOD)) == ""


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (Order(GOOD.sans, days=-1), "it ended at "),
        (Order(GOOD.sans, days=90), "Is this clock right?"),
        (Order(GOOD.sans, usages=SERVER), "lacks clientAuth"),
        (Order(GOOD.sans, usages=()), "lacks clientAuth"),
        (Order(()), "no subjectAltName"),
    ],
)
def test_a_certificate_that_no_daemon_takes(authority: Authority, order: Order, said: str) -> None:
    """Its file is named, and what is wrong with it."""
    pair = authority.sign("bad", order)
    assert words(authority, pair).startswith(f"{pair.certificate}: ")
    assert said in words(authority, pair)


def test_files_that_are_not_what_they_should_be(authority: Authority, tmp_path: Path) -> None:
    """Missing, swapped, not PEM, of another pair, with a passphrase: each is told apart, and no key shown."""
    good, other = authority.sign("good", GOOD), authority.sign("other", GOOD)
    empty = tmp_path / "empty"
    empty.touch()
    absent = tmp_path / "absent"
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"passphrase"),
        )
    )
    for pair, ca, said in (
        (Pair(absent, good.key), None, f"{absent}: it can not be read: No such file or directory."),
        (Pair(good.key, good.certificate), None, "no certificate in PEM"),
        (Pair(good.certificate, empty), None, "no private key in PEM"),
        (Pair(good.certificate, other.key), None, f"it is not the key of {good.certificate}"),
        (Pair(good.certificate, locked), None, "passphrase"),
        (good, empty, f"{empty}: no certificate in PEM"),
    ):
        assert said in words(authority, pair, ca)
        assert "BEGIN" not in words(authority, pair, ca)


def test_a_daemon_over_the_network_needs_all_three() -> None:
    """What is missing is named; a unix socket needs none; a time must be one."""
    with pytest.raises(BadCertificate, match="cert and ca missing"):
        Client(TARGET, key="app.key")
    assert repr(Client("unix:/run/nightlatch/pam.sock")) == "Client(unix:/run/nightlatch/pam.sock)"
    with pytest.raises(InvalidRequest, match="timeout"):
        Client("unix:/run/nightlatch/pam.sock", timeout=0)


def test_the_client_brings_nothing_of_the_daemon_along() -> None:
    """An application that imports it gets the generated API and the client itself."""
    names = "[n for n in sys.modules if n.split('.')[0].startswith('nightlatch')]"
    shown = subprocess.run(
        [sys.executable, "-c", f"import sys, nightlatch.client; print(*{names})"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert {name for name in shown if not name.startswith(("nightlatch.client", "nightlatch.v1"))} == {
        "nightlatch"
    }
