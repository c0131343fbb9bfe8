"""A device that is known by the SSH key it holds."""

from __future__ import annotations

import subprocess
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

import pytest

from nightlatch_trusted_device.ssh_key import read_key
from plugins.trusted_device.device import NOW, Device, enrolled
from plugins.trusted_device.test_contract import key_of

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600.0
ALICE, BOB = key_of("alice")[0], key_of("bob")[0]
KEY = ALICE.removeprefix("ssh:")
KINDS = (("ed25519", "256"), ("rsa", "2048"), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"))


def keygen(*arguments: object) -> str:
    """What ssh-keygen says."""
    command = ["ssh-keygen", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def new_key(folder: Path, kind: str, bits: str) -> Path:
    """A fresh key pair."""
    path = folder / f"{kind}-{bits}"
    keygen("-q", "-t", kind, "-b", bits, "-N", "", "-f", path)
    return path


def as_sshd_reports_it(path: Path) -> str:
    """Type and base64, without the comment."""
    return " ".join(path.read_text().split()[:2])


def wire_text(kind: str, *parts: bytes) -> str:
    """A key of these strings."""
    strings = (kind.encode(), *parts)
    wire = b"".join(len(part).to_bytes(4, "big") + part for part in strings)
    return f"{kind} {b64encode(wire).decode()}"


SPARE = wire_text("ssh-rsa", b"\x03", bytes(2)).replace("AA==", "AB==")
"""The same bytes as another text, by bits of the last letter that mean nothing."""


@pytest.mark.parametrize(("kind", "bits"), KINDS)
def test_the_fingerprint_is_that_of_ssh_keygen(tmp_path: Path, kind: str, bits: str) -> None:
    """What people compare is what `ssh-keygen -l` shows, and a certificate has that of its key."""
    path = new_key(tmp_path, kind, bits)
    shown = keygen("-l", "-f", path.with_suffix(".pub")).split()[1]
    key = read_key(as_sshd_reports_it(path.with_suffix(".pub")))
    assert key is not None
    assert "SHA256:" + b64encode(key.fingerprint).decode().rstrip("=") == shown
    assert key.short_name == f"{shown[:11]}…{shown[-3:]}"
    keygen("-q", "-s", path, "-I", "today", "-n", "alice,root", path.with_suffix(".pub"))
    assert read_key(as_sshd_reports_it(path.with_name(f"{path.name}-cert.pub"))) == key


def test_security_keys_are_keys() -> None:
    """Keys on tokens (FIDO) have their application as a part of them."""
    for kind, parts in (
        ("sk-ssh-ed25519@openssh.com", (bytes(32), b"ssh:")),
        ("sk-ecdsa-sha2-nistp256@openssh.com", (b"nistp256", b"\x04" + bytes(64), b"ssh:")),
    ):
        assert read_key(wire_text(kind, *parts)) is not None
        assert read_key(wire_text(kind, *parts)) != read_key(wire_text(kind, *parts[:-1], b"ssh:other"))
        assert read_key(wire_text(kind, *parts[:-1])) is None


def test_a_key_enrols_as_itself() -> None:
    """The credential is named after the key, gives no token, and the longest label fits a terminal's line."""
    made = enrolled("token:x", ALICE)
    assert made.token == ""
    assert made.label.startswith("SSH key SHA256:")
    assert made.label.isprintable()
    assert len(made.label) == 23


def test_the_key_is_accepted_again_and_again() -> None:
    """A key proves itself at each connection: nothing changes with its use."""
    device = Device.enrolled(ALICE)
    for seconds in (0, 0, 1, 60):
        used = device.shows(NOW + seconds)
        assert used.accepted
        assert used == Device(device.state, device.evidence, used.last)


def test_another_s_key_has_no_effect() -> None:
    """DEV-01: bob's key is refused where alice's is trusted, and revokes nothing."""
    tried = Device.enrolled(ALICE).shows(NOW + HOUR, BOB)
    assert (tried.accepted, tried.revoked, tried.reason) == (False, False, "another SSH key")


def test_a_key_is_no_token_and_a_token_no_key() -> None:
    """Evidence of the other kind is passed over."""
    by_key, by_token = Device.enrolled(ALICE), Device.enrolled()
    assert by_key.shows(NOW + HOUR, by_token.evidence).reason == "no SSH key"
    assert by_token.shows(NOW + HOUR, by_key.evidence).reason == "no device token"
    assert not by_token.shows(NOW + HOUR, by_key.evidence).revoked


def test_the_first_key_that_is_known_is_trusted() -> None:
    """A key of an unknown kind before it does not matter; without a known one nothing is trusted."""
    unknown = "ssh:" + wire_text("ssh-dss", b"p", b"q", b"g", b"y")
    made = enrolled(unknown, ALICE, BOB)
    assert Device(made.state, ALICE).shows(NOW).accepted
    assert not Device(made.state, BOB).shows(NOW).accepted
    with pytest.raises(ValueError, match="its SSH key is of a kind not known here"):
        enrolled(unknown)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 ",
        KEY + " alice@laptop",
        KEY + "\n",
        " " + KEY,
        KEY.replace(" ", "  "),
        KEY.replace(" ", "\t"),
        "no-pty " + KEY,
        KEY + "=",
        KEY[:-4],
        KEY + "AAAA",
        SPARE,
        KEY.replace("ssh-ed25519 ", "ssh-rsa "),
        KEY.replace("ssh-ed25519 ", "SSH-ED25519 "),
        KEY.replace("ssh-ed25519 ", "ssh-ed25519-cert-v01@openssh.com "),
        wire_text("ssh-ed25519"),
        wire_text("ssh-ed25519", b""),
        wire_text("ssh-ed25519", bytes(32), b""),
        wire_text("ssh-rsa", b"\x03"),
        wire_text("ssh-ed25519-cert-v01@openssh.com", bytes(32)),
        wire_text("ssh-dss", b"p", b"q", b"g", b"y"),
        wire_text("webauthn-sk-ecdsa-sha2-nistp256@openssh.com", b"a", b"b", b"c"),
        "ssh-ed25519 " + b64encode(b"\xff\xff\xff\xffssh-ed25519").decode(),
        "ssh-ed25519 \uff21\uff21\uff21\uff21",
        "ssh-ed25519 \ud800",
        "ssh-rsa " + "A" * 5_000,
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    """A key is a known type and its whole wire form in base64, and nothing around it."""
    assert read_key(text) is None
    assert not Device.enrolled(ALICE).shows(NOW, f"ssh:{text}").accepted


def test_the_spare_bits_were_the_fault() -> None:
    """The text with other bits in its last letter is a key when they are put right."""
    assert read_key(SPARE.replace("AB==", "AA==")) is not None
    assert b64decode(SPARE.split()[1]) == b64decode(SPARE.split()[1].replace("AB==", "AA=="))


def test_the_longest_keys_fit() -> None:
    """RSA of 16384 bits, the most that OpenSSH takes, is within the bound."""
    text = wire_text("ssh-rsa", b"\x01\x00\x01", b"\x00" + b"\xff" * 2048)
    assert len(text) < 4096
    assert read_key(text) is not None
    assert b64decode(text.split()[1])[-1:] == b"\xff"
