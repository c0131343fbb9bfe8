"""What a trusted device's credential remembers, as the bytes that the daemon seals.

    version 1 | kind | trusted since | trusted until | what the kind remembers

Times are Unix seconds as IEEE 754 doubles: none that can be written overflows, and one that is not a number
is before and after nothing, so that nothing is trusted because of it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from typing import Final

from nightlatch_trusted_device.device_token import ID_BYTES, SECRET_BYTES, DeviceToken

_VERSION: Final = 1
_KEY, _TOKEN = 1, 2
_HEAD: Final = struct.Struct(">BBdd")
_KEY_PART: Final = struct.Struct(">32s")
_TOKEN_PART: Final = struct.Struct(f">{ID_BYTES}s32s32s{SECRET_BYTES}sd")


@dataclass(frozen=True, slots=True)
class Trust:
    """From when until when a device is trusted."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class KeyState:
    """A device that is known by the SSH key it holds."""

    trust: Trust
    fingerprint: bytes = field(repr=False)

    @property
    def changed_at(self) -> float:
        """The latest time that this state knows of."""
        return self.trust.since

    def encode(self) -> bytes:
        """50 bytes."""
        head = _HEAD.pack(_VERSION, _KEY, self.trust.since, self.trust.until)
        return head + _KEY_PART.pack(self.fingerprint)


@dataclass(frozen=True, slots=True)
class TokenState:
    """A device that keeps a secret, which changes with its use."""

    trust: Trust
    device: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    """Of the secret that is good now."""
    previous: bytes = field(default=bytes(32), repr=False)
    """Of the secret before; zeros, which are nothing's SHA-256 that anyone knows, before the first change."""
    salt: bytes = field(default=bytes(SECRET_BYTES), repr=False)
    """What made the present secret from the one before."""
    rotated_at: float = 0.0
    """When the secret changed; 0 for never."""

    @property
    def changed_at(self) -> float:
        """The latest time that this state knows of."""
        return max(self.trust.since, self.rotated_at)

    def rotated(self, successor: DeviceToken, salt: bytes, now: float) -> TokenState:
        """The state in which `successor` is the secret."""
        return replace(self, digest=successor.digest, previous=self.digest, salt=salt, rotated_at=now)

    def encode(self) -> bytes:
        """138 bytes."""
        head = _HEAD.pack(_VERSION, _TOKEN, self.trust.since, self.trust.until)
        return head + _TOKEN_PART.pack(self.device, self.digest, self.previous, self.salt, self.rotated_at)


DeviceState = KeyState | TokenState


def decode(text: bytes) -> DeviceState:
    """Read a state; raises ValueError, without its content, for one that this plugin did not write."""
    if len(text) < _HEAD.size:
        raise ValueError("the state of a trusted device is too short")
    version, kind, since, until = _HEAD.unpack_from(text)
    if version != _VERSION:
        raise ValueError(f"the state of a trusted device has version {version}; this plugin knows {_VERSION}")
    rest = text[_HEAD.size :]
    trust = Trust(since, until)
    if kind == _KEY and len(rest) == _KEY_PART.size:
        return KeyState(trust, *_KEY_PART.unpack(rest))
    if kind == _TOKEN and len(rest) == _TOKEN_PART.size:
        return TokenState(trust, *_TOKEN_PART.unpack(rest))
    raise ValueError("the state of a trusted device is damaged")
