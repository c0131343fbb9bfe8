"""Codes that people copy by hand: drawn, grouped for reading, and read back with the usual slips forgiven.

The alphabet is Douglas Crockford's base 32: ten digits and the letters without I, L, O and U. So a typed
I or L can only mean 1, and a typed O only 0: one code has many texts, and no text has two codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUP = 4
_BITS = 5
_SLIPS = str.maketrans("ILO", "110", " -")


def drawn(length: int, random_bytes: Callable[[int], bytes]) -> str:
    """A code of `length` characters, each of 5 bits; every code is equally likely."""
    count = -(-length * _BITS // 8)
    number = int.from_bytes(random_bytes(count)) >> (count * 8 - length * _BITS)
    return "".join(ALPHABET[number >> place * _BITS & 31] for place in reversed(range(length)))


def grouped(code: str) -> str:
    """A code as people read it: groups of four with dashes between them."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def typed(answer: str, length: int) -> str | None:
    """The code in what a person typed, or None.

    Case does not matter, nor do blanks and dashes, nor I and L for 1 and O for 0. Only ASCII counts: the
    capital of a foreign letter may be an ASCII one.
    """
    if len(answer) > 3 * length or not answer.isascii():
        return None
    code = answer.upper().translate(_SLIPS)
    return code if len(code) == length and set(code) <= set(ALPHABET) else None
