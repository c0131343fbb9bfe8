"""A text as SMPP carries it: an alphabet, and parts that fit (3GPP TS 23.038, TS 23.040).

MUST 1: no character is sent as another one: what an alphabet lacks goes out in UCS-2.
MUST 2: a part ends between characters, never inside an escape or a surrogate pair.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

AlphabetName = Literal["gsm7", "latin1", "ucs2"]

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = {"\f": 10, "^": 20, "{": 40, "}": 41, "\\": 47, "[": 60, "~": 61, "]": 62, "|": 64, "€": 101}
_ESCAPE = 0x1B
_GSM = {letter: bytes([code]) for code, letter in enumerate(_BASIC) if code != _ESCAPE} | {
    letter: bytes([_ESCAPE, code]) for letter, code in _EXTENDED.items()
}
MOST_PARTS = 10
"""Parts of one message; a code needs one."""


@dataclass(frozen=True, slots=True)
class _Alphabet:
    data_coding: int
    whole: int
    """Octets that fit without a header."""
    part: int
    """Octets that fit beside the header of a part."""


_GSM7 = _Alphabet(data_coding=0, whole=160, part=153)
_LATIN1 = _Alphabet(data_coding=3, whole=140, part=134)
_UCS2 = _Alphabet(data_coding=8, whole=140, part=134)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text in parts, each with its user data header where there are several."""

    data_coding: int
    parts: tuple[bytes, ...] = field(repr=False)

    @property
    def has_header(self) -> bool:
        """Whether each part begins with a user data header."""
        return len(self.parts) > 1


def encoded(text: str, alphabet: AlphabetName, reference: int) -> Encoded:
    """`text` in the first alphabet that has all of it; `reference` ties the parts together, 0 to 255.

    Raises ValueError for a text of too many parts.
    """
    chosen, letters = _letters(text, alphabet)
    if sum(map(len, letters)) <= chosen.whole:
        return Encoded(chosen.data_coding, (b"".join(letters),))
    bodies = _split(letters, chosen.part)
    if len(bodies) > MOST_PARTS:
        raise ValueError(f"the text needs {len(bodies)} messages, and more than {MOST_PARTS} are not sent")
    count = len(bodies)
    parts = (bytes((5, 0, 3, reference, count, number)) + body for number, body in enumerate(bodies, start=1))
    return Encoded(chosen.data_coding, tuple(parts))


def is_gsm7(text: str) -> bool:
    """Whether GSM's alphabet has every character."""
    return all(letter in _GSM for letter in text)


def _letters(text: str, alphabet: AlphabetName) -> tuple[_Alphabet, list[bytes]]:
    if alphabet == "gsm7" and is_gsm7(text):
        return _GSM7, [_GSM[letter] for letter in text]
    if alphabet == "latin1" and all(ord(letter) <= 0xFF for letter in text):  # noqa: PLR2004, the last of Latin-1
        return _LATIN1, [letter.encode("latin-1") for letter in text]
    return _UCS2, [letter.encode("utf-16-be", errors="replace") for letter in text]


def _split(letters: list[bytes], room: int) -> list[bytes]:
    bodies = [b""]
    for letter in letters:
        if len(bodies[-1]) + len(letter) > room:
            bodies.append(b"")
        bodies[-1] += letter
    return bodies
