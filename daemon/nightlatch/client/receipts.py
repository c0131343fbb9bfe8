"""Checks receipts offline: JWTs (RFC 7519) signed with Ed25519 (RFC 8037), by the daemon's published keys.

MUST 1: one algorithm, whatever the receipt's header says; only keys that the daemon gave.
MUST 2: a client asks for other keys once in `PAUSE`, however many unknown ones receipts name; where that
        failed, an unknown key is an outage and not a forgery.
MUST 3: issuer, audience, end and id are demanded; a receipt for another application proves nothing here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

import jwt

from nightlatch.client.errors import InvalidReceipt, Unavailable
from nightlatch.client.results import Receipt

ALGORITHM = "EdDSA"
LEEWAY = 5
"""Seconds by which two clocks may differ."""
PAUSE = 30.0
"""Seconds between two times that keys are asked for because of an unknown one."""
_DEMANDED = ("iss", "aud", "sub", "name", "service", "factor", "iat", "exp", "jti")


class UnknownKey(InvalidReceipt):
    """Signed with a key that is not among these: the keys are old, or the receipt is forged."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The public keys of one installation. They may be kept in a file, and used without a daemon."""

    jwks: str
    """A JWK Set (RFC 7517), in JSON."""
    issuer: str

    def check(self, receipt: str, audience: str) -> Receipt:
        """What a receipt states; `audience` is the name of the application it was given to.

        Raises InvalidReceipt. A receipt is good for its whole life: whoever must not take one twice keeps the
        `id`.
        """
        try:
            claims = jwt.decode(
                receipt,
                self._key(receipt),
                algorithms=[ALGORITHM],
                audience=audience,
                issuer=self.issuer,
                leeway=LEEWAY,
                options={"require": list(_DEMANDED)},
            )
        except jwt.ExpiredSignatureError:
            raise InvalidReceipt("The receipt is too old. Ask for a new proof.") from None
        except jwt.InvalidAudienceError:
            raise InvalidReceipt(f"The receipt is for another application than {audience}.") from None
        except jwt.InvalidIssuerError:
            raise InvalidReceipt(f"The receipt is not of {self.issuer}.") from None
        except jwt.InvalidTokenError as error:
            raise InvalidReceipt(f"The receipt is not right ({type(error).__name__}).") from None
        return _stated(claims)

    def _key(self, receipt: str) -> jwt.PyJWK:
        wanted = jwt.get_unverified_header(receipt).get("kid")
        try:
            found = jwt.PyJWKSet.from_json(self.jwks).keys
        except (jwt.PyJWTError, ValueError, AttributeError):
            raise InvalidReceipt("These keys are no JWK Set with a key that can be used.") from None
        for key in found:
            if key.key_id == wanted and key.algorithm_name == ALGORITHM:
                return key
        raise UnknownKey("The receipt is signed with a key that is not this installation's.")


class KeptKeys:
    """The keys that a client has been given, from any thread."""

    def __init__(self) -> None:
        self._keys: Keys | None = None
        self._asked_at = -PAUSE
        self._answered = True
        self._lock = Lock()

    def keep(self, keys: Keys) -> Keys:
        """Use these from now on."""
        with self._lock:
            self._keys, self._answered = keys, True
        return keys

    def check(self, receipt: str, audience: str) -> Receipt | None:
        """What a receipt states; None where a daemon has to be asked for its keys first.

        Raises InvalidReceipt; Unavailable where the key is unknown and the daemon was just asked in vain.
        """
        keys = self._keys
        if keys is None:
            return None
        try:
            return keys.check(receipt, audience)
        except UnknownKey:
            with self._lock:
                left = self._asked_at + PAUSE - monotonic()
                if left <= 0:
                    self._asked_at, self._answered = monotonic(), False
                    return None
                if self._answered and self._keys is keys:
                    raise
                renewed = self._keys is not keys
        if renewed:  # by another thread, meanwhile
            return self.check(receipt, audience)
        words = f"The receipt's key is unknown, and no daemon gave its keys. Try again in {left:.0f} s."
        raise Unavailable(words, left)


def _stated(claims: dict[str, Any]) -> Receipt:
    texts = [claims[name] for name in ("sub", "name", "service", "factor", "jti")]
    if not all(isinstance(text, str) for text in texts):
        raise InvalidReceipt("The receipt has claims of a wrong type.")
    account, user, service, factor, number = texts
    issued, expires = (dt.datetime.fromtimestamp(claims[name], dt.UTC) for name in ("iat", "exp"))
    return Receipt(account, user, service, factor, issued, expires, number)
