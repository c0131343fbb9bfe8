"""The master key: made once, read with care, and what is sealed with it opens only where it belongs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.errors import ConfigError
from nightlatch.keys import KEY_BYTES, MasterKey, Sealer, SealError, create_key_file, load_key_file

if TYPE_CHECKING:
    from pathlib import Path


class SystemRandomness:
    """The system's randomness."""

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""
        return os.urandom(count)


def sealer(purpose: str = "credentials", key: bytes = b"k" * KEY_BYTES) -> Sealer:
    """A sealer of one purpose."""
    return Sealer(MasterKey(key).derive(purpose), SystemRandomness())


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_what_was_sealed_opens_at_its_place(text: bytes, place: bytes) -> None:
    """Any text comes back, and two seals of it have nothing in common."""
    one, other = sealer().seal(text, place), sealer().seal(text, place)
    assert sealer().open(one, place) == sealer().open(other, place) == text
    assert one[:28] != other[:28]


@given(st.integers(0, 300), st.integers(1, 255))
def test_a_changed_byte_does_not_open(position: int, flip: int) -> None:
    """Whatever byte is changed, and whatever is cut off: it does not open."""
    sealed = bytearray(sealer().seal(b"secret" * 9, b"place"))
    sealed[position % len(sealed)] ^= flip
    with pytest.raises(SealError):
        sealer().open(bytes(sealed), b"place")
    with pytest.raises(SealError):
        sealer().open(bytes(sealed[: position % len(sealed)]), b"place")


def test_another_place_purpose_or_key_does_not_open() -> None:
    """A sealed text opens only with its key, for its purpose, at its place."""
    sealed = sealer().seal(b"secret", b"place")
    for who, where in [
        (sealer(), b"elsewhere"),
        (sealer("tickets"), b"place"),
        (sealer(key=b"x" * 32), b"place"),
    ]:
        with pytest.raises(SealError):
            who.open(sealed, where)


def test_no_repr_shows_a_key() -> None:
    """LEK-01: neither the master key nor a sealer shows what it holds."""
    assert "k" * 4 not in repr(MasterKey(b"k" * KEY_BYTES)) + repr(sealer())
    assert MasterKey(b"k" * KEY_BYTES).derive("a") not in (b"k" * KEY_BYTES, MasterKey(b"k" * 32).derive("b"))


def test_a_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """STO-02, STO-05: mode 0600 whatever the umask, 32 bytes, never over another one."""
    before = os.umask(0)
    try:
        made = create_key_file(tmp_path / "key", SystemRandomness())
    finally:
        os.umask(before)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert load_key_file(tmp_path / "key").derive("x") == made.derive("x")
    with pytest.raises(FileExistsError):
        create_key_file(tmp_path / "key", SystemRandomness())
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        create_key_file(tmp_path / "dangling", SystemRandomness())


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (b"", 0o600, "holds 0 bytes"),
        (b"k" * 31, 0o600, "holds 31 bytes"),
        (b"k" * 33, 0o600, "more bytes"),
        (b"k" * 32, 0o640, "chmod 600"),
        (b"k" * 32, 0o604, "chmod 600"),
    ],
)
def test_a_key_file_that_is_not_in_order_is_refused(
    tmp_path: Path, content: bytes, mode: int, message: str
) -> None:
    """STO-02: wrong length or rights of others stop the start, and the message says what to do."""
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=message):
        load_key_file(path)


def test_every_problem_of_a_key_file_is_reported_at_once(tmp_path: Path) -> None:
    """Wrong length and wrong mode are two problems of one error."""
    path = tmp_path / "key"
    path.write_bytes(b"short")
    path.chmod(0o666)
    with pytest.raises(ConfigError) as caught:
        load_key_file(path)
    assert len(caught.value.problems) == 2


def test_what_is_no_key_file_is_refused(tmp_path: Path) -> None:
    """STO-02: a missing file, a link, a folder and a pipe are refused without waiting for anything."""
    create_key_file(tmp_path / "key", SystemRandomness())
    (tmp_path / "link").symlink_to(tmp_path / "key")
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("missing", "link", "folder", "pipe"):
        with pytest.raises(ConfigError, match=name):
            load_key_file(tmp_path / name)
