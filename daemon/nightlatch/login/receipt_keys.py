"""The keys that sign receipts, one after another, and when each of them is published.

Which one signs is a *generation*, a number in the store that a rotation counts up. Generation 0 is the key
that an installation begins with. All daemons on one store follow, no two of them at the same moment.

MUST 1: no key signs before everybody may know it: the set has the next key, too. A set that was fetched
        HEARD after a rotation, from a daemon that had not heard of it, lacks the key after the next, and is
        kept for MAX_AGE: so rotations are SPACING = MAX_AGE + MARGIN apart.
MUST 2: no key leaves the set before what it signed is over. A daemon that has not heard signs with it until
        HEARD after the rotation; that receipt ends LIFETIME later, by clocks that differ by SKEW, and is
        taken for LEEWAY more: so the previous key is published for LATE = LIFETIME + MARGIN.
MUST 3: a key that may be in other hands (`at_once`) is published no more by a daemon that has heard of it,
        and signs never again: a generation does not go back, whatever the store says.
MUST 4: a restored backup may know nothing of that: its keys are the new epoch's, which nobody had before.
MUST 5: whoever can not read the store keeps the keys that it has.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from nightlatch.keys import MasterKey

MARK = "receipts"
"""The row of `meta` with the generation."""
ALGORITHM = "EdDSA"
LIFETIME = 300
"""Of a receipt, in seconds, as everything here."""
MAX_AGE = 900
"""How long whoever checks receipts may keep a key set."""
HEARD = 30
"""By then every daemon that reaches the store has heard of a rotation."""
SKEW = 60
"""How far the clocks of two daemons may be apart."""
LEEWAY = 5
"""By how much a client takes a receipt for longer."""
MARGIN = HEARD + SKEW + LEEWAY + 5
LATE = LIFETIME + MARGIN
SPACING = MAX_AGE + MARGIN
_KEPT = 4
_MOST = 1 << 53
"""Rotations; what is beyond has no meaning."""


@dataclass(frozen=True, slots=True)
class Generation:
    """Which key signs, as it is kept in the store."""

    number: int = 0
    since: float = 0.0
    """When it began to sign, in Unix seconds; 0 for the first."""
    at_once: bool = False
    """Whether the key before was withdrawn at that moment."""

    @classmethod
    def of(cls, text: str) -> Generation:
        """What `text` has made; the first for an empty text. Raises ValueError."""
        if not text:
            return cls()
        try:
            fields = json.loads(text)
            made = cls(int(fields["number"]), float(fields["since"]), bool(fields["at_once"]))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            raise ValueError(_MALFORMED) from None
        if not (0 < made.number <= _MOST and math.isfinite(made.since)):
            raise ValueError(_MALFORMED)
        return made

    def text(self) -> str:
        """For the store."""
        return json.dumps(asdict(self))

    @property
    def late_until(self) -> float:
        """Until when the key before is published; 0 where there is none, or it is not."""
        return 0.0 if self.at_once or not self.number else self.since + LATE

    @property
    def next_at(self) -> float:
        """From when on the next key may take its place with nobody noticing; 0 for at any time."""
        return self.since + SPACING if self.number else 0.0


class SigningKey:
    """One key, with what is published of it."""

    def __init__(self, seed: bytes) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(seed)
        public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        jwk = {"crv": "Ed25519", "kty": "OKP", "x": base64url(public)}
        # The key's thumbprint (RFC 7638): the members above in this order, without spaces.
        thumbprint = hashlib.sha256(json.dumps(jwk, separators=(",", ":")).encode()).digest()
        self.id = base64url(thumbprint)
        self.jwk = {**jwk, "kid": self.id, "use": "sig", "alg": ALGORITHM}
        """The public key (RFC 7517, RFC 8037)."""

    def __repr__(self) -> str:
        """Say nothing about the key."""
        return f"SigningKey({self.id})"


class ReceiptKeys:
    """The keys of one installation. Any thread may ask."""

    def __init__(self, key: MasterKey, epoch: str = "", generation: Generation | None = None) -> None:
        """`epoch` is the store's, `generation` what it says of the keys."""
        self._key = key
        self._passing = key.of_epoch(epoch)
        self._made = lru_cache(_KEPT)(self._make)
        self.generation = generation or Generation()

    def __repr__(self) -> str:
        """Say nothing about the keys."""
        return f"ReceiptKeys(generation {self.generation.number})"

    def follow(self, generation: Generation) -> bool:
        """Go on with what the store says now; False for what is older than what was followed already."""
        if generation.number < self.generation.number:
            return False
        self.generation = generation
        return True

    @property
    def current(self) -> SigningKey:
        """The one that signs."""
        return self._made(self.generation.number)

    @property
    def next(self) -> SigningKey:
        """The one that will."""
        return self._made(self.generation.number + 1)

    def previous(self, now: float) -> SigningKey | None:
        """The one that has signed what may be alive still; None where there is none."""
        generation = self.generation
        return self._made(generation.number - 1) if now < generation.late_until else None

    def published(self, now: float) -> tuple[SigningKey, ...]:
        """The keys of the set: the one that signs, the next one, and the previous one for as long."""
        previous = self.previous(now)
        return (self.current, self.next, *([previous] if previous else []))

    def _make(self, number: int) -> SigningKey:
        if not number:
            return SigningKey(self._key.derive(MARK))
        return SigningKey(self._passing.derive(f"{MARK}/{number}"))


def base64url(data: bytes) -> str:
    """Bytes as a JWT has them (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


_MALFORMED = f"the row {MARK} of meta is malformed"
