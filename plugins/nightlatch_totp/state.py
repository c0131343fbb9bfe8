"""What a TOTP credential remembers, as the bytes that the daemon seals.

Algorithm and digits belong to the credential, not to the configuration: who changes the configuration
locks nobody out.

    version 1 | algorithm | digits | length of the secret | number of spent ranges | the secret | the ranges
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nightlatch_totp import spent

if TYPE_CHECKING:
    from nightlatch_totp.settings import AlgorithmName

SECRET_BYTES = 20
"""160 bits, what RFC 4226 section 4 (R6) recommends, and what every app takes."""
SHORTEST, LONGEST = 16, 64
"""Bytes of a secret."""
DIGITS = (6, 8)
_VERSION = 1
_HEAD = struct.Struct(">BBBBB")
ALGORITHMS: tuple[AlgorithmName, ...] = ("SHA1", "SHA256", "SHA512")


@dataclass(frozen=True, slots=True)
class TotpState:
    """One enrolled app."""

    secret: bytes = field(repr=False)
    algorithm: AlgorithmName
    digits: int
    spent: spent.Ranges = ()

    def with_spent(self, step: int) -> TotpState:
        """The state after the code of `step` was accepted."""
        return TotpState(self.secret, self.algorithm, self.digits, spent.spend(self.spent, step))

    def encode(self) -> bytes:
        """At most 133 bytes."""
        number = ALGORITHMS.index(self.algorithm)
        head = _HEAD.pack(_VERSION, number, self.digits, len(self.secret), len(self.spent))
        return head + self.secret + spent.encode(self.spent)


def decode(text: bytes) -> TotpState:
    """Read a state; raises ValueError, without its content, for one that this plugin did not write."""
    if len(text) < _HEAD.size:
        raise ValueError("the state of a TOTP credential is too short")
    version, number, digits, length, ranges = _HEAD.unpack_from(text)
    if version != _VERSION:
        raise ValueError(
            f"the state of a TOTP credential has version {version}; this plugin knows {_VERSION}"
        )
    end = _HEAD.size + length
    if (
        number >= len(ALGORITHMS)
        or digits not in DIGITS
        or not SHORTEST <= length <= LONGEST
        or len(text) < end
    ):
        raise ValueError("the state of a TOTP credential is damaged")
    return TotpState(text[_HEAD.size : end], ALGORITHMS[number], digits, spent.decode(text[end:], ranges))
