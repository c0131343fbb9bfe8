"""Receipts: signed statements of who showed what, which an application can check without asking again.

A receipt is a JWT (RFC 7519) signed with Ed25519 (RFC 8037), by a key from the installation's master key, so
that all its daemons sign alike. The public key is handed out as a JWK Set (RFC 7517).

MUST 1: a receipt names its audience (the client that asked) and its end, and proves one login.
MUST 2: nothing accepts a receipt but an application: the daemon never takes one as a proof.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from nightlatch.model import Account
    from nightlatch.ports import Clock, Randomness

LIFETIME = 300
"""Seconds."""
ALGORITHM = "EdDSA"


class Receipts:
    """Signs receipts."""

    def __init__(self, seed: bytes, issuer: str, clock: Clock, randomness: Randomness) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._public = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public)}
        # The key's thumbprint (RFC 7638): the members above in this order, without spaces.
        thumbprint = hashlib.sha256(json.dumps(self._public, separators=(",", ":")).encode()).digest()
        self._id = _base64url(thumbprint)
        self.issuer = issuer
        self._clock = clock
        self._randomness = randomness

    def __repr__(self) -> str:
        """Say nothing about the key."""
        return f"Receipts({self.issuer})"

    def issue(self, account: Account, audience: str, service: str, factor: str) -> str:
        """A receipt that this account has shown this factor to this audience."""
        now = int(self._clock.now())
        claims = {
            "iss": self.issuer,
            "aud": audience,
            "sub": account.id,
            "name": account.name,
            "service": service,
            "factor": factor,
            "iat": now,
            "exp": now + LIFETIME,
            "jti": _base64url(self._randomness.bytes(16)),
        }
        return jwt.encode(claims, self._key, ALGORITHM, headers={"kid": self._id})

    def key_set(self) -> str:
        """The public keys as a JWK Set, in JSON."""
        key = {**self._public, "kid": self._id, "use": "sig", "alg": ALGORITHM}
        return json.dumps({"keys": [key]})


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
