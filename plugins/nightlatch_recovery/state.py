"""What a set of recovery codes remembers, as the bytes that the daemon seals.

    version 1 | number of unused codes | key | the unused codes as they are kept

The version stands for the cost of the hashes, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from nightlatch_recovery import codes
from nightlatch_recovery.codes import KEPT_BYTES, KeptCode

KEY_BYTES = 32
MOST_CODES = 10
_VERSION = 1
_HEAD_BYTES = 2


@dataclass(frozen=True, slots=True)
class RecoveryState:
    """The unused codes of one set."""

    key: bytes = field(repr=False)
    unused: tuple[KeptCode, ...]

    def find(self, code: str) -> KeptCode | None:
        """The unused code that this is, or None. A guess with none of the prefixes costs no hash."""
        prefix = codes.prefix_of(self.key, code)
        candidates = [kept for kept in self.unused if kept.may_be(prefix)]
        return next((kept for kept in candidates if kept.matches(code)), None)

    def without(self, used: KeptCode) -> RecoveryState:
        """The set after a code was used."""
        return replace(self, unused=tuple(kept for kept in self.unused if kept is not used))

    def encode(self) -> bytes:
        """At most 554 bytes."""
        return (
            bytes((_VERSION, len(self.unused))) + self.key + b"".join(kept.encode() for kept in self.unused)
        )


def decode(text: bytes) -> RecoveryState:
    """Read a state; raises ValueError, without its content, for one that this plugin did not write."""
    start = _HEAD_BYTES + KEY_BYTES
    if len(text) < start:
        raise ValueError("the state of a set of recovery codes is too short")
    if text[0] != _VERSION:
        raise ValueError(
            f"the state of a set of recovery codes has version {text[0]}; this plugin knows {_VERSION}"
        )
    if text[1] > MOST_CODES or len(text) != start + text[1] * KEPT_BYTES:
        raise ValueError("the state of a set of recovery codes is damaged")
    kept = tuple(codes.decode(text[at : at + KEPT_BYTES]) for at in range(start, len(text), KEPT_BYTES))
    return RecoveryState(text[_HEAD_BYTES:start], kept)
