"""Checks receipts offline: JWTs (RFC 7519) signed with Ed25519 (RFC 8037), by the daemon's published keys.

MUST 1: one algorithm, whatever the receipt's header says; only keys that the daemon gave.
MUST 2: issuer, audience, end and id are demanded; a receipt for another application proves nothing here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import jwt

from nightlatch.client.errors import InvalidReceipt
from nightlatch.client.results import Receipt

ALGORITHM = "EdDSA"
LEEWAY = 5
"""Seconds by which two clocks may differ."""
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


def _stated(claims: dict[str, Any]) -> Receipt:
    texts = [claims[name] for name in ("sub", "name", "service", "factor", "jti")]
    if not all(isinstance(text, str) for text in texts):
        raise InvalidReceipt("The receipt has claims of a wrong type.")
    account, user, service, factor, number = texts
    issued, expires = (dt.datetime.fromtimestamp(claims[name], dt.UTC) for name in ("iat", "exp"))
    return Receipt(account, user, service, factor, issued, expires, number)
