"""What a security email remembers, as the bytes that the daemon seals.

    version 1 | length of the address | codes on their way | wrong answers | key | address | the code

There are 0 codes on their way, or 1.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

from nightlatch_codes import issued
from nightlatch_codes.issued import ISSUED_BYTES, KEY_BYTES, Issued

MOST_WRONG = 10
"""Wrong answers after which a code is dead: whoever types them has not got the mail."""
_VERSION = 1
_HEAD = struct.Struct(">BBBB")


@dataclass(frozen=True, slots=True)
class EmergencyState:
    """One security email. `wrong` counts the wrong answers to the code on its way."""

    key: bytes = field(repr=False)
    address: str = field(repr=False)
    under_way: Issued | None = None
    wrong: int = 0

    def with_sent(self, sent: Issued | None) -> EmergencyState:
        """The state with another code on its way, or none."""
        return replace(self, under_way=sent, wrong=0)

    def with_wrong(self) -> EmergencyState:
        """The state after a wrong answer; the last one takes the code away."""
        return self.with_sent(None) if self.wrong + 1 >= MOST_WRONG else replace(self, wrong=self.wrong + 1)

    def encode(self) -> bytes:
        """At most 338 bytes."""
        address = self.address.encode("ascii")
        sent = b"" if self.under_way is None else self.under_way.encode()
        return _HEAD.pack(_VERSION, len(address), bool(sent), self.wrong) + self.key + address + sent


def decode(text: bytes) -> EmergencyState:
    """Read a state; raises ValueError, without its content, for one that this plugin did not write."""
    if len(text) < _HEAD.size:
        raise ValueError("the state of a security email is too short")
    version, letters, sent, wrong = _HEAD.unpack_from(text)
    if version != _VERSION:
        raise ValueError(f"the state of a security email has version {version}; this plugin knows {_VERSION}")
    start = _HEAD.size + KEY_BYTES
    end = start + letters
    address = text[start:end]
    if (
        not letters
        or sent > 1
        or wrong >= MOST_WRONG
        or len(text) != end + sent * ISSUED_BYTES
        or not address.isascii()
    ):
        raise ValueError("the state of a security email is damaged")
    under_way = issued.decode(text[end:]) if sent else None
    return EmergencyState(text[_HEAD.size : start], address.decode("ascii"), under_way, wrong)
