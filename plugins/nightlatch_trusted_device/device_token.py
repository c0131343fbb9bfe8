"""The secret that a device keeps: ``DEVICE.SECRET``, 128 and 256 random bits in base64url.

MUST 1: one secret has one text; a text that only decodes to the same bytes is another.
MUST 2: the next secret can not be told from the last one: it takes 256 random bits that only the state has.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final

ID_BYTES: Final = 16
SECRET_BYTES: Final = 32
_TEXT: Final = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class DeviceToken:
    """What one device keeps until its next login."""

    device: bytes = field(repr=False)
    secret: bytes = field(repr=False)

    @property
    def digest(self) -> bytes:
        """What the state keeps of the secret.

        A plain hash: 256 random bits can not be guessed, so that a slow one would only make logins wait.
        """
        return hashlib.sha256(self.secret).digest()

    def text(self) -> str:
        """The token as the caller keeps it, 66 characters."""
        return f"{_encoded(self.device)}.{_encoded(self.secret)}"

    def successor(self, salt: bytes) -> DeviceToken:
        """The next token, the same one however often it is asked for with this salt."""
        return DeviceToken(self.device, hmac.digest(salt, self.secret, "sha256"))


def read_token(text: str) -> DeviceToken | None:
    """The token in a text; None for anything else."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    token = DeviceToken(urlsafe_b64decode(found[1] + "=="), urlsafe_b64decode(found[2] + "="))
    return token if token.text() == text else None


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
