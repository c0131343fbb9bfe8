"""A code that was sent, as it is remembered: a keyed hash that only the right code gives again.

MUST 1: the hash covers credential (by its key), address, times and code: none of them can be exchanged.
MUST 2: every code is equally likely, and drawn from the context's randomness.

The memo of SMS and email is sealed in the login's ticket, and could hold the code itself. The hash is there
for the day when a ticket is opened after all: without the credential's key, in the store, it says nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_BYTES = 32
_DRAWN_BYTES = 8
_MOST_DRAWS = 64
"""Each draw fails with a probability under 1 in 10^8; a source that gives nothing else is broken."""
_TIMES = struct.Struct(">dd")
_TAG_BYTES = hashlib.sha256().digest_size
ISSUED_BYTES = _TIMES.size + _TAG_BYTES


@dataclass(frozen=True, slots=True)
class Issued:
    """One code on its way. Times are Unix seconds."""

    sent_at: float
    expires_at: float
    tag: bytes = field(repr=False)

    def matches(self, key: bytes, address: str, code: str) -> bool:
        """Whether this is the code; compared in constant time."""
        return hmac.compare_digest(self.tag, _tag(key, address, self.sent_at, self.expires_at, code))

    def valid_at(self, now: float) -> bool:
        """Whether the code's time is not over."""
        return now < self.expires_at

    def wait_at(self, now: float, seconds: int) -> int:
        """Seconds until another may be sent, `seconds` after this one; 0 for now.

        A clock that went back must not turn the seconds into days, so a sending in the future does not count.
        """
        age = now - self.sent_at
        return max(1, round(seconds - age)) if 0 <= age < seconds else 0

    def encode(self) -> bytes:
        """Forty-eight bytes."""
        return _TIMES.pack(self.sent_at, self.expires_at) + self.tag


def issue(key: bytes, address: str, now: float, seconds: float, code: str) -> Issued:
    """Remember a code that is sent to an address now."""
    return Issued(now, now + seconds, _tag(key, address, now, now + seconds, code))


def decode(text: bytes) -> Issued:
    """The opposite of `encode`; raises ValueError for anything but 48 bytes."""
    if len(text) != ISSUED_BYTES:
        raise ValueError("a sent code is remembered in 48 bytes")
    sent_at, expires_at = _TIMES.unpack_from(text)
    return Issued(sent_at, expires_at, text[_TIMES.size :])


def drawn_digits(count: int, random_bytes: Callable[[int], bytes]) -> str:
    """`count` decimal digits. A number above the last multiple of 10^count is drawn anew: no modulo bias."""
    codes = 10**count
    fair = 256**_DRAWN_BYTES // codes * codes
    for _ in range(_MOST_DRAWS):
        number = int.from_bytes(random_bytes(_DRAWN_BYTES))
        if number < fair:
            return f"{number % codes:0{count}}"
    raise RuntimeError(f"the random source gave {_MOST_DRAWS} numbers at the very top of its range")


def _tag(key: bytes, address: str, sent_at: float, expires_at: float, code: str) -> bytes:
    said = b"\0".join((_TIMES.pack(sent_at, expires_at), address.encode(), code.encode()))
    return hmac.digest(key, said, hashlib.sha256)
