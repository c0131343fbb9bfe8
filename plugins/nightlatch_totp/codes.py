"""The arithmetic of RFC 6238, by pyotp, and the reading of what people type."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING

import pyotp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightlatch_totp.settings import AlgorithmName

PERIOD = 30
"""Seconds that a code is shown."""
_TYPED = re.compile(r"[0-9](?:[ -]?[0-9])*")


def step_at(now: float) -> int:
    """The number of the time step that holds `now`, in Unix seconds (RFC 6238 section 4.2)."""
    return int(now // PERIOD)


def typed_code(answer: str, digits: int) -> str | None:
    """The code in what a person typed, or None.

    A code is ASCII digits, and one blank or dash may stand between two of them ("123 456"). Nothing else
    passes: other digits (fullwidth, superscript) would make one code many texts.
    """
    if len(answer) >= 2 * digits or _TYPED.fullmatch(answer) is None:
        return None
    code = answer.replace(" ", "").replace("-", "")
    return code if len(code) == digits else None


def base32(secret: bytes) -> str:
    """A secret as apps take it: base32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


class _FromBytes(pyotp.TOTP):
    """pyotp's TOTP over the key itself: pyotp decodes its base32 text at every code, most of the cost."""

    def __init__(self, key: bytes, digits: int, algorithm: AlgorithmName) -> None:
        self._key = key
        digest = getattr(hashlib, algorithm.lower())
        super().__init__("", digits=digits, digest=digest, interval=PERIOD)

    def byte_secret(self) -> bytes:
        return self._key


class CodeMaker:
    """Makes the codes of one secret."""

    def __init__(self, key: bytes, digits: int, algorithm: AlgorithmName) -> None:
        self._otp = _FromBytes(key, digits, algorithm)

    def code(self, step: int) -> str:
        """The code of one step."""
        return str(self._otp.generate_otp(step))

    def newest_match(self, code: str, steps: Iterable[int]) -> int | None:
        """The last of `steps` with this code. Every step is computed and compared, found or not.

        The last, so that where two steps share a code, one use spends it for both.
        """
        found = None
        for step in steps:
            if step >= 0 and hmac.compare_digest(self.code(step), code):
                found = step
        return found
