"""A Google service account: it signs a statement and gets a token for it (RFC 7523).

https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, ConfigDict, ValidationError

from nightlatch_smtp.files import read_secret

if TYPE_CHECKING:
    from pathlib import Path

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = 600
"""Seconds that a statement holds; Google takes an hour at most."""


class _KeyFile(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    client_email: str
    private_key_id: str = ""
    private_key: str


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """The account's name and key."""

    email: str
    key_id: str
    key: RSAPrivateKey = field(repr=False)

    def statement(self, mailbox: str, scope: str, audience: str, now: float) -> str:
        """A signed statement that this account acts for `mailbox`; `now` in Unix seconds."""
        names = {"iss": self.email, "sub": mailbox, "scope": scope, "aud": audience}
        times = {"iat": int(now), "exp": int(now) + LIFETIME}
        headers = {"kid": self.key_id} if self.key_id else None
        return jwt.encode({**names, **times}, self.key, algorithm="RS256", headers=headers)


def read_account(path: Path) -> ServiceAccount:
    """The account in a key file; raises ValueError, which shows nothing of the file."""
    text = read_secret(path)
    try:
        content = _KeyFile.model_validate_json(text)
    except ValidationError:
        raise ValueError(
            f"{path} is not a service account's key.\n"
            "It must be the JSON file with client_email and private_key."
        ) from None
    return ServiceAccount(content.client_email, content.private_key_id, _rsa_key(content.private_key, path))


def _rsa_key(pem: str, path: Path) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError(f"the private_key in {path} is no RSA key in PEM.")  # noqa: TRY004, a setting's problem
    return key
