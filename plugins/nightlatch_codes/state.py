"""What an SMS or email credential remembers, as the bytes that the daemon seals.

    version 1 | length of the address | number of used codes | key | address | the used codes' marks

Which codes are on their way is not known here: each is in its own login's ticket.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

from nightlatch_codes.issued import KEY_BYTES, Issued

_VERSION = 1
_HEAD = struct.Struct(">BBB")
_MARK_BYTES = 8
MOST_USED = 16
"""A code lives ten minutes at most, and far fewer can be sent to one account in that time."""


@dataclass(frozen=True, slots=True)
class SentCodeState:
    """One enrolled address. `used` are marks of the last accepted codes, the newest last."""

    key: bytes = field(repr=False)
    address: str = field(repr=False)
    used: tuple[bytes, ...] = field(default=(), repr=False)

    def was_used(self, issued: Issued) -> bool:
        """Whether this very code was accepted before."""
        return issued.tag[:_MARK_BYTES] in self.used

    def with_used(self, issued: Issued) -> SentCodeState:
        """The state after a code was accepted."""
        return replace(self, used=(*self.used, issued.tag[:_MARK_BYTES])[-MOST_USED:])

    def encode(self) -> bytes:
        """At most 417 bytes."""
        address = self.address.encode("ascii")
        return _HEAD.pack(_VERSION, len(address), len(self.used)) + self.key + address + b"".join(self.used)


def decode(text: bytes) -> SentCodeState:
    """Read a state; raises ValueError, without its content, for one that this plugin did not write."""
    if len(text) < _HEAD.size:
        raise ValueError("the state of a sent-code credential is too short")
    version, letters, used = _HEAD.unpack_from(text)
    if version != _VERSION:
        raise ValueError(
            f"the state of a sent-code credential has version {version}; this plugin knows {_VERSION}"
        )
    start = _HEAD.size + KEY_BYTES
    end = start + letters
    address = text[start:end]
    if not letters or used > MOST_USED or len(text) != end + used * _MARK_BYTES or not address.isascii():
        raise ValueError("the state of a sent-code credential is damaged")
    marks = tuple(text[place : place + _MARK_BYTES] for place in range(end, len(text), _MARK_BYTES))
    return SentCodeState(text[_HEAD.size : start], address.decode("ascii"), marks)
