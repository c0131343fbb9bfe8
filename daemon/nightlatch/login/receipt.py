"""Receipts: signed statements of who showed what, which an application can check without asking again.

A receipt is a JWT (RFC 7519) signed with Ed25519 (RFC 8037), by a key from the installation's master key, so
that all its daemons sign alike. The public keys are handed out as a JWK Set (RFC 7517).

MUST 1: a receipt names its audience (the client that asked) and its end, and proves one login.
MUST 2: nothing accepts a receipt but an application: the daemon never takes one as a proof.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jwt

from nightlatch.login.receipt_keys import ALGORITHM, LIFETIME, base64url

if TYPE_CHECKING:
    from nightlatch.login.receipt_keys import ReceiptKeys
    from nightlatch.model import Account
    from nightlatch.ports import Clock, Randomness


class Receipts:
    """Signs receipts."""

    def __init__(self, keys: ReceiptKeys, issuer: str, clock: Clock, randomness: Randomness) -> None:
        self._keys = keys
        self.issuer = issuer
        self._clock = clock
        self._randomness = randomness

    def __repr__(self) -> str:
        """Say nothing about the keys."""
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
            "jti": base64url(self._randomness.bytes(16)),
        }
        key = self._keys.current
        return jwt.encode(claims, key.private, ALGORITHM, headers={"kid": key.id})

    def key_set(self) -> str:
        """The public keys as a JWK Set, in JSON. It may be kept for MAX_AGE."""
        return json.dumps({"keys": [key.jwk for key in self._keys.published(self._clock.now())]})
