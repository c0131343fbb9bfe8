"""OpenSSH public keys as they stand in authorized_keys, told apart by their SHA-256 fingerprint.

MUST 1: one key has one fingerprint: the text is read strictly, and what is hashed is the key's own wire form
        (RFC 4253 section 6.6), the same that `ssh-keygen -l` hashes.
MUST 2: a certificate counts as the key that it certifies, as for `ssh-keygen -l`: who renews it has the same
        device.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

MOST_KEY: Final = 4096
"""Characters of a key; one of RSA with 16384 bits has 2,800."""
KINDS: Final = MappingProxyType(
    {
        "ssh-ed25519": 1,
        "ssh-rsa": 2,
        "ecdsa-sha2-nistp256": 2,
        "ecdsa-sha2-nistp384": 2,
        "ecdsa-sha2-nistp521": 2,
        "sk-ssh-ed25519@openssh.com": 2,
        "sk-ecdsa-sha2-nistp256@openssh.com": 3,
    }
)
"""How many strings follow the type in the wire form (RFC 4253, 5656, 8709; OpenSSH's PROTOCOL.u2f)."""
_CERTIFICATE: Final = "-cert-v01@openssh.com"
_VENDOR: Final = "@openssh.com"
_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class SshKey:
    """One public key."""

    fingerprint: bytes
    """SHA-256 of the wire form, 32 bytes."""

    @property
    def short_name(self) -> str:
        """The ends of what `ssh-keygen -l` shows: "SHA256:q3Vd…8Zs"."""
        text = b64encode(self.fingerprint).decode().rstrip("=")
        return f"SHA256:{text[:4]}…{text[-3:]}"


def read_key(text: str) -> SshKey | None:
    """The key in ``TYPE BASE64``; None for anything else."""
    kind, blank, encoded = text[: MOST_KEY + 1].partition(" ")
    plain = _certified(kind) or kind
    if len(text) > MOST_KEY or not blank or plain not in KINDS:
        return None
    try:
        wire = b64decode(encoded, validate=True)
        first, *parts = _certified_strings(wire, KINDS[plain]) if kind != plain else _strings(wire)
    except ValueError:
        return None
    whole = first == kind.encode() and len(parts) == KINDS[plain] and all(parts)
    if not whole or b64encode(wire).decode() != encoded:
        return None
    key = b"".join(len(part).to_bytes(_LENGTH, "big") + part for part in (plain.encode(), *parts))
    return SshKey(hashlib.sha256(key).digest())


def _certified(kind: str) -> str | None:
    """The type of key that a certificate of this type certifies."""
    if not kind.endswith(_CERTIFICATE):
        return None
    plain = kind.removesuffix(_CERTIFICATE)
    return plain + _VENDOR if plain.startswith("sk-") else plain


def _strings(wire: bytes) -> list[bytes]:
    """All strings of the wire form (RFC 4251 section 5); raises ValueError where it is none."""
    parts: list[bytes] = []
    while wire:
        part, wire = _string(wire)
        parts.append(part)
    return parts


def _certified_strings(wire: bytes, count: int) -> list[bytes]:
    """A certificate's type and the key in it, without the nonce between them and the terms after them."""
    parts = []
    for _ in range(2 + count):
        part, wire = _string(wire)
        parts.append(part)
    return [parts[0], *parts[2:]]


def _string(wire: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(wire[:_LENGTH], "big")
    end = _LENGTH + length
    if len(wire) < _LENGTH or len(wire) < end:
        raise ValueError("a string is cut off")
    return wire[_LENGTH:end], wire[end:]
