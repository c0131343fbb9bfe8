"""Codes for copying by hand: drawn evenly, and read back through the usual slips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nightlatch_base32 as base32

CODES = st.text(alphabet=base32.ALPHABET, min_size=12, max_size=12)


def test_the_alphabet_has_no_twins() -> None:
    """32 characters, without the letters that look like others."""
    assert len(set(base32.ALPHABET)) == 32
    assert not set(base32.ALPHABET) & set("ILOU")


@pytest.mark.parametrize(
    ("length", "given_bytes", "code"),
    [
        (16, bytes(10), "0" * 16),
        (16, b"\xff" * 10, "Z" * 16),
        (12, b"\xff" * 8, "Z" * 12),
        (16, bytes(range(10)), "000G40R40M30E209"),
    ],
)
def test_bits_become_characters(length: int, given_bytes: bytes, code: str) -> None:
    """Five bits make a character, from the first one on; bits that are too many are dropped."""
    asked: list[int] = []

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return given_bytes

    assert base32.drawn(length, random_bytes) == code
    assert asked == [len(given_bytes)]


def test_codes_are_grouped_by_four() -> None:
    """Groups of four with dashes between them."""
    assert base32.grouped("0123456789AB") == "0123-4567-89AB"


@given(CODES)
def test_what_is_shown_can_be_typed(code: str) -> None:
    """A code comes back from its groups, in lower case, and with letters for the digits they look like."""
    shown = base32.grouped(code)
    for typed in (shown, shown.lower(), shown.replace("-", " "), code.replace("0", "o").replace("1", "I")):
        assert base32.typed(typed, 12) == code
    assert base32.typed(code.replace("1", "l"), 12) == code


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_code_or_none(typed: str) -> None:
    """What is read has the length, and the alphabet's characters only."""
    code = base32.typed(typed, 12)
    assert code is None or (len(code) == 12 and set(code) <= set(base32.ALPHABET))


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "0" * 11,
        "0" * 13,
        "U" * 12,
        "0" * 11 + "\uff10",
        "0" * 11 + "\u0131",
        "0" * 11 + "_",
        "0" * 100_000,
    ],
)
def test_what_is_no_code(typed: str) -> None:
    """Another length, another alphabet, and letters whose capital would be ASCII are no code."""
    assert base32.typed(typed, 12) is None
