"""Checks receipts offline: JWTs (RFC 7519) signed with Ed25519 (RFC 8037), by the daemon's published keys.

MUST 1: one algorithm, whatever the receipt's header says; only keys that the daemon gave.
MUST 2: a client asks for other keys once in `PAUSE`, however many unknown ones receipts name; where that
        failed, an unknown key is an outage and not a forgery.
MUST 3: issuer, audience, end and id are demanded; a receipt for another application proves nothing here.
MUST 4: no key is used for longer than the daemon said without asking again: it may have been withdrawn. A
        client asks from half of that time on, so that an outage of all daemons that is shorter than the other
        half is not noticed: 450 of 900 seconds, where a receipt lives for 300.
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
"""Seconds between two times that keys are asked for because of an unknown one, or because they get old."""
MAX_AGE = 900.0
"""Seconds, from a daemon that does not say."""
RENEWAL_SECONDS = 2.0
"""How long an answer is waited for while the present keys are good."""
_DEMANDED = ("iss", "aud", "sub", "name", "service", "factor", "iat", "exp", "jti")


class UnknownKey(InvalidReceipt):
    """Signed with a key that is not among these: the keys are old, or the receipt is forged."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The public keys of one installation. They may be kept in a file, and used without a daemon."""

    jwks: str
    """A JWK Set (RFC 7517), in JSON."""
    issuer: str
    max_age: float = MAX_AGE
    """For how many seconds they may be used without asking again."""

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
        self._kept_at = 0.0
        self._renewed_at = -PAUSE
        self._asked_at = -PAUSE
        self._answered = True
        self._lock = Lock()

    def keep(self, keys: Keys) -> Keys:
        """Use these from now on."""
        with self._lock:
            self._keys, self._kept_at, self._answered = keys, monotonic(), True
        return keys

    def renewal_due(self) -> bool:
        """Whether to ask for the keys again, while those at hand are good: True once in PAUSE."""
        with self._lock:
            now = monotonic()
            keys, age = self._keys, now - self._kept_at
            due = keys is not None and keys.max_age / 2 <= age < keys.max_age
            if not due or now < self._renewed_at + PAUSE:
                return False
            self._renewed_at = now
            return True

    def check(self, receipt: str, audience: str) -> Receipt | None:
        """What a receipt states; None where a daemon has to be asked for its keys first.

        Raises InvalidReceipt; Unavailable where the key is unknown and the daemon was just asked in vain.
        """
        with self._lock:
            keys, age = self._keys, monotonic() - self._kept_at
        if keys is None or age >= keys.max_age:
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
