"""Users files, URIs, exports of the app, and other systems' lists."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from nightlatch.factor import ImportedSecret
from nightlatch.importing.found import EVENT_BASED, Finding, Found, Skipped, SourceFault
from nightlatch.importing.kinds import READERS, Kind
from testbed.elsewhere import BASE32, SECRET

if TYPE_CHECKING:
    from pathlib import Path

HEX, OTHER_HEX = SECRET.hex(), "ab" * 32
USUAL = ImportedSecret(SECRET, "SHA1", 6, 30)


def reading(kind: Kind, tmp_path: Path, text: str, key: str = "") -> list[Finding]:
    """What is found in a file with this text."""
    source, key_file = tmp_path / "source", tmp_path / "key"
    source.write_text(text)
    key_file.write_text(key)
    return READERS[kind](source, key_file if key else None)


def owners(findings: list[Finding]) -> dict[str, object]:
    """What each person has: the secret, or why it is skipped."""
    return {one.owner: one.what if isinstance(one, Found) else one.why for one in findings}


def test_a_users_file_of_pam_oath(tmp_path: Path) -> None:
    """Time-based lines with their step and digits; event-based ones and rubbish are told."""
    text = f"""# comment
HOTP/T30/6 alice - {HEX}
HOTP/T60/8\tbob\t-\t{HEX}\t0\t123456\t2026-01-01T00:00:00L
HOTP/T30 carol 1234 {HEX}
HOTP/E/6 dave - {HEX} 5
HOTP erin - {HEX}
HOTP/T30/6 frank - nothex
"""
    found = reading(Kind.OATH, tmp_path, text)
    assert owners(found) == {
        "alice": USUAL,
        "bob": ImportedSecret(SECRET, "SHA1", 8, 60),
        "carol": USUAL,
        "dave": EVENT_BASED,
        "erin": EVENT_BASED,
        "frank": "its secret is not hexadecimal",
    }
    assert ["PIN" in one.note for one in found if isinstance(one, Found)] == [False, False, True]


def test_otpauth_uris(tmp_path: Path) -> None:
    """The account is the owner and the issuer the name; defaults are those of the format."""
    text = f"""otpauth://totp/Example%20Ltd:alice?secret={BASE32}&issuer=Example%20Ltd
otpauth://totp/bob?secret={BASE32.lower()}&algorithm=SHA256&digits=8&period=60
otpauth://hotp/carol?secret={BASE32}&counter=1
otpauth://totp/dave?secret=0189
"""
    found = reading(Kind.OTPAUTH, tmp_path, text)
    assert owners(found) == {
        "alice": USUAL,
        "bob": ImportedSecret(SECRET, "SHA256", 8, 60),
        "carol": EVENT_BASED,
        "dave": "its secret is missing, or no base32",
    }
    assert found[0].label == "Example Ltd"


def export(*entries: bytes, size: int = 1, index: int = 0) -> str:
    """A QR code of the app's export, its protobuf made by hand."""
    body = b"".join(b"\x0a" + bytes([len(entry)]) + entry for entry in entries)
    body += bytes([0x10, 1, 0x18, size, 0x20, index, 0x28, 7])
    return f"otpauth-migration://offline?data={base64.b64encode(body).decode().replace('+', '%2B')}"


def entry(name: bytes, kind: int = 2, digits: int = 1, algorithm: int = 1) -> bytes:
    """One account of the export."""
    secret = b"\x0a" + bytes([len(SECRET)]) + SECRET
    return secret + b"\x12" + bytes([len(name)]) + name + bytes([0x20, algorithm, 0x28, digits, 0x30, kind])


def test_an_export_of_the_app(tmp_path: Path) -> None:
    """Several QR codes of one export; hash and digits by their numbers; counters are told."""
    text = "\n".join(
        (
            export(entry(b"Ltd:alice"), entry(b"bob", digits=2, algorithm=2), size=2),
            export(entry(b"carol", kind=1), size=2, index=1),
        )
    )
    assert owners(reading(Kind.GOOGLE_EXPORT, tmp_path, text)) == {
        "alice": USUAL,
        "bob": ImportedSecret(SECRET, "SHA256", 8, 30),
        "carol": EVENT_BASED,
    }


def test_a_missing_or_broken_qr_code_of_an_export_is_an_error(tmp_path: Path) -> None:
    """Nobody is forgotten in silence."""
    with pytest.raises(SourceFault, match="1 of an export's 2 QR codes"):
        reading(Kind.GOOGLE_EXPORT, tmp_path, export(entry(b"alice"), size=2))
    with pytest.raises(SourceFault, match="line 1: this was cut off"):
        reading(Kind.GOOGLE_EXPORT, tmp_path, export(entry(b"alice"))[:-9] + "====")


YAML = f"""
- owner: alice@corp
  serial: TOTP1
  type: totp
  otpkey: {HEX}
  otplen: 6
  active: true
  description: Phone
  revoked: false
  locked: false
  rollout_state: ''
  _hashed_pin: x
  info_list: {{hashlib: sha256, timeStep: '30'}}
- {{owner: bob@corp, serial: TOTP2, type: totp, otpkey: {BASE32}, otplen: 8, active: false, info_list: {{}}}}
- {{owner: carol@corp, serial: OATH3, type: hotp, otpkey: {HEX}, otplen: 6, active: true, info_list: {{}}}}
- {{owner: dave@corp, serial: TOTP4, type: totp, otpkey: {HEX}, locked: true}}
"""


def test_privacyidea_s_yaml(tmp_path: Path) -> None:
    """Hash and step from the token's own details; disabled, locked and event-based ones are told."""
    found = reading(Kind.PRIVACYIDEA, tmp_path, YAML)
    assert owners(found) == {
        "alice": ImportedSecret(SECRET, "SHA256", 6, 30),
        "bob": "disabled there",
        "carol": EVENT_BASED,
        "dave": "locked or revoked there",
    }
    alice = found[0]
    assert isinstance(alice, Found)
    assert (alice.realm, alice.label, "PIN" in alice.note) == ("corp", "Phone", True)


def test_privacyidea_s_csv(tmp_path: Path) -> None:
    """The hash, which CSV does not say, comes from the length of the secret."""
    lines = (
        f"alice@corp, TOTP1, {HEX}, totp, 6, 30",
        f"bob@corp, T2, {OTHER_HEX}, totp, 8, 30",
        f"n/a, H3, {HEX}, hotp, 6",
    )
    text = "\n".join(lines)
    assert owners(reading(Kind.PRIVACYIDEA, tmp_path, text)) == {
        "alice": USUAL,
        "bob": ImportedSecret(b"\xab" * 32, "SHA256", 8, 30),
        "H3": EVENT_BASED,
    }


def test_privacyidea_s_own_format_needs_its_key(tmp_path: Path) -> None:
    """The encrypted list opens with the printed key alone, and whoever has a token there is named."""
    key = Fernet.generate_key()
    tokens = [
        {
            "serial": "TOTP1",
            "type": "totp",
            "otpkey": HEX,
            "otplen": 6,
            "active": True,
            "info_list": {"hashlib": "sha1", "timeStep": "30"},
            "user": {"login": "alice", "realm": "corp"},
        }
    ]
    text = Fernet(key).encrypt(json.dumps(tokens).encode()).decode()
    assert owners(reading(Kind.PRIVACYIDEA, tmp_path, text, key.decode())) == {"alice": USUAL}
    with pytest.raises(SourceFault, match="is encrypted"):
        reading(Kind.PRIVACYIDEA, tmp_path, text)
    with pytest.raises(SourceFault, match="can not be decrypted"):
        reading(Kind.PRIVACYIDEA, tmp_path, text, Fernet.generate_key().decode())


def test_linotp_s_csv(tmp_path: Path) -> None:
    """LinOTP's columns and defaults, and the person behind them, or nobody."""
    first, second = f"S1, {HEX}, totp, 6, 30, sha1, alice@corp", f"S2, {OTHER_HEX * 2}, TOTP, 8"
    text = f"{first}\n{second}\nS3, {HEX}\nS4, {HEX}, ocra2, x\n"
    found = reading(Kind.LINOTP, tmp_path, text)
    assert owners(found) == {
        "alice": USUAL,
        "": ImportedSecret(b"\xab" * 64, "SHA512", 8, 30),
        "S3": EVENT_BASED,
        "S4": "of a kind that is not supported: ocra2",
    }


def test_authelia_s_yaml(tmp_path: Path) -> None:
    """The secret is base32 within base64; everything else is as it says."""
    twice = base64.b64encode(BASE32.rstrip("=").encode()).decode()
    text = f"""
totp_configurations:
  - created_at: 2026-01-01T00:00:00Z
    last_used_at: null
    username: alice
    issuer: Authelia
    algorithm: SHA512
    digits: 8
    period: 30
    secret: {twice}
"""
    found = reading(Kind.AUTHELIA, tmp_path, text)
    assert owners(found) == {"alice": ImportedSecret(SECRET, "SHA512", 8, 30)}
    assert found[0].label == "Authelia"


@pytest.mark.parametrize("kind", [Kind.AUTHELIA, Kind.PRIVACYIDEA, Kind.PSKC, Kind.GOOGLE_EXPORT])
@pytest.mark.parametrize("text", ["", "- &a [x]\n- *a\n", "just words", "[1, 2", "{}"])
def test_a_file_of_another_kind_is_an_error(tmp_path: Path, kind: Kind, text: str) -> None:
    """What is no such file is said, in one sentence, and never a traceback."""
    with suppress(SourceFault):
        assert not any(isinstance(one, Found) for one in reading(kind, tmp_path, text))


def test_what_is_skipped_has_a_reason() -> None:
    """A reason is words, never empty."""
    assert Skipped("alice", "", EVENT_BASED).why
