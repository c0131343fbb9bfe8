"""An authenticator app."""

from __future__ import annotations

import hashlib
import time
from urllib.parse import parse_qs, urlsplit

import pyotp

STEP = 30
TYPING = 10
"""Seconds for which a code is good at least, so that a busy machine does not make it too old."""
SENDING = 4
"""The same where nothing but one call is between the code and its check."""


class App:
    """What a phone does with a QR code: shows a code for a time."""

    def __init__(self, uri: str) -> None:
        """`uri` is the otpauth URI of the QR code."""
        fields = {name: values[0] for name, values in parse_qs(urlsplit(uri).query).items()}
        digest = getattr(hashlib, fields.get("algorithm", "SHA1").lower())
        self._totp = pyotp.TOTP(fields["secret"], digits=int(fields.get("digits", "6")), digest=digest)
        self.last = 0

    def code(self, step: int = 0) -> str:
        """The code of the present step of 30 seconds, or of one before or after it."""
        return self._totp.at(int(time.time()) + step * STEP)

    def fresh(self, earliest: int = -1, good_for: int = TYPING) -> str:
        """The next code that was not shown before and is accepted now; waits for one if need be.

        It is good for `good_for` seconds at least, and with `earliest` 0 for half a minute.
        """
        while True:
            now, gone = divmod(time.time(), STEP)
            oldest = 0 if gone > STEP - good_for else earliest
            step = max(self.last + 1, int(now) + max(oldest, earliest))
            if step <= now + 1:
                self.last = step
                return self._totp.at(step * STEP)
            time.sleep(0.5)

    def wrong(self) -> str:
        """A code that is not accepted now, nor in the next minute."""
        right = {self._totp.at(int(time.time()) + step * STEP) for step in range(-3, 6)}
        return next(
            code
            for code in ("000000", "111111", "222222", *map(str, range(333333, 333399)))
            if code not in right
        )
