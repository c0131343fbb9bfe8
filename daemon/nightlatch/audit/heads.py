"""Signed heads: how far a writer's chain had come, for a place that the database's owner can not change.

MUST 1: a head that is not signed by this installation's key is worth nothing, and is told.
MUST 2: a head says what it is about: one made for one purpose is not taken for another.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_FIELDS = ("kind", "writer", "sequence", "chain", "at", "signature")


class HeadKind(Enum):
    """What a head says."""

    OPEN = "open"
    """The writer begins; nothing is before it."""
    HEAD = "head"
    """So far the chain has come."""
    CLOSED = "closed"
    """So far it came: the writer has stopped."""
    PRUNED = "pruned"
    """All up to here was forgotten, as the configuration says."""


@dataclass(frozen=True, slots=True)
class Head:
    """A place in a writer's chain."""

    kind: HeadKind
    writer: str
    sequence: int
    """The number of the row, counted from 1; 0 for the place in front of the first."""
    chain: bytes
    """The row's value."""
    at: float
    """When this was signed."""


class ForgedHead(Exception):
    """A head that this installation's key has not signed. The text says what is wrong with it."""


class HeadKeys:
    """Signs and verifies heads with Ed25519 (RFC 8032)."""

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._private.public_key()

    def __repr__(self) -> str:
        """Say nothing about the key."""
        return "HeadKeys(…)"

    def sign(self, head: Head) -> str:
        """The head as one line of JSON, signed."""
        fields = head_fields(head)
        fields["signature"] = self._private.sign(_signed(head)).hex()
        return json.dumps(fields)

    def read(self, line: str) -> Head:
        """The head in a line of JSON, also one of the log; raises ForgedHead."""
        try:
            fields = json.loads(line)
            kind, writer, sequence, chain, at, signature = (fields[name] for name in _FIELDS)
            head = Head(HeadKind(kind), str(writer), int(sequence), bytes.fromhex(chain), float(at))
            self._public.verify(bytes.fromhex(signature), _signed(head))
        except InvalidSignature:
            raise ForgedHead("its signature is not by this installation's key") from None
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            raise ForgedHead("it is no head") from None
        return head


def head_fields(head: Head) -> dict[str, str | int | float]:
    """A head's fields, without a signature."""
    return {
        "kind": head.kind.value,
        "writer": head.writer,
        "sequence": head.sequence,
        "chain": head.chain.hex(),
        "at": head.at,
    }


def _signed(head: Head) -> bytes:
    return json.dumps(["nightlatch audit head", *head_fields(head).values()]).encode()
