"""RFC 6030 containers: plain, under a key, under a password, and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pskc
import pytest

from nightlatch.factor import ImportedSecret
from nightlatch.importing.found import EVENT_BASED, Found, Skipped, SourceFault
from nightlatch.importing.pskc import read
from testbed.elsewhere import SECRET

if TYPE_CHECKING:
    from pathlib import Path

TIME_BASED = "urn:ietf:params:xml:ns:keyprov:pskc:totp"


def container() -> pskc.PSKC:
    """Alice with a time-based key, and a token that counts."""
    made = pskc.PSKC()
    made.add_key(
        id="1",
        serial="T1",
        algorithm=TIME_BASED,
        secret=SECRET,
        key_userid="alice",
        response_length=8,
        time_interval=30,
        algorithm_suite="HMAC-SHA256",
    )
    made.add_key(id="2", serial="T2", algorithm=TIME_BASED.replace("totp", "hotp"), secret=SECRET)
    return made


def written(made: pskc.PSKC, folder: Path) -> Path:
    """The container's file."""
    file = folder / "keys.xml"
    made.write(str(file))
    return file


def key_file(folder: Path, text: str) -> Path:
    """A file with a key or a password."""
    file = folder / "key"
    file.write_text(f"{text}\n")
    return file


def test_a_plain_container(tmp_path: Path) -> None:
    """The person, the hash, the digits and the step come over; what counts events is told."""
    alice, counting = read(written(container(), tmp_path))
    assert alice == Found("alice", "T1", ImportedSecret(SECRET, "SHA256", 8, 30), serial="T1")
    assert counting == Skipped("T2", "T2", EVENT_BASED)


def test_a_container_under_a_key(tmp_path: Path) -> None:
    """It opens with its key; a wrong one is told by the values' MACs, and without one that is said."""
    made = container()
    made.encryption.setup_preshared_key(key=b"k" * 16)
    file = written(made, tmp_path)
    assert read(file, key_file(tmp_path, (b"k" * 16).hex()))[0].label == "T1"
    wrong = read(file, key_file(tmp_path, (b"x" * 16).hex()))[0]
    assert wrong == Skipped("alice", "T1", "it can not be decrypted with this key, or was changed")
    with pytest.raises(SourceFault, match="--key-file"):
        read(file)
    with pytest.raises(SourceFault, match="holds none in hexadecimal"):
        read(file, key_file(tmp_path, "not hexadecimal"))


def test_a_container_under_a_password(tmp_path: Path) -> None:
    """Its key is derived from the password (PBKDF2)."""
    made = container()
    made.encryption.setup_pbkdf2("correct horse", iterations=1000)
    file = written(made, tmp_path)
    found = read(file, key_file(tmp_path, "correct horse"))[0]
    assert isinstance(found, Found)
    assert found.what == ImportedSecret(SECRET, "SHA256", 8, 30)


def test_entities_are_refused(tmp_path: Path) -> None:
    """A small file can not stand for a huge one, nor for another file."""
    file = tmp_path / "keys.xml"
    file.write_text('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>')
    with pytest.raises(SourceFault, match="no container"):
        read(file)
