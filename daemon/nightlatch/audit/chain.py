"""Links of the chain: each row's value is a keyed hash over the row and the value before it.

MUST 1: no row can be changed, left out or moved without the key and nobody notice it.
MUST 2: two different rows never have the same text under the hash: what separates the fields is in none.
MUST 3: a row's text is made of what the database gives back, so that it is the same when it is verified.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

VALUE_BYTES = 32
_BETWEEN = "\x1f"  # the store lets no control character into a row


class ChainKey:
    """Makes the values of chains. One key for an installation, derived from its master key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        """Say nothing about the key."""
        return "ChainKey(…)"

    def start(self, writer: str) -> bytes:
        """The value in front of a writer's first row."""
        return blake2b(writer.encode(), digest_size=VALUE_BYTES, key=self._key, person=b"start").digest()

    def link(self, before: bytes, writer: str, sequence: int, at: float, texts: Sequence[str]) -> bytes:
        """The value of a row behind the value `before`; `texts` are its columns in order."""
        text = _BETWEEN.join((f"{writer}{_BETWEEN}{sequence}{_BETWEEN}{at!r}", *texts))
        link = blake2b(before, digest_size=VALUE_BYTES, key=self._key, person=b"link")
        # What was written by somebody else may be anything; it is never equal, but must not raise.
        link.update(text.encode("utf-8", "surrogatepass"))
        return link.digest()
