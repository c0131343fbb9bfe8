"""otpauth:// URIs, one a line: what a QR code for an authenticator app says (the Key URI Format)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from nightlatch.factor import ImportedSecret
from nightlatch.importing.found import (
    EVENT_BASED,
    NO_OWNER,
    Finding,
    Found,
    Skipped,
    base32_secret,
    hash_name,
    read_text,
    whole_number,
)

if TYPE_CHECKING:
    from pathlib import Path

_TIME_BASED = "otpauth://totp/"
_COUNTED = "otpauth://hotp/"


def read(source: Path, _key: Path | None = None) -> list[Finding]:
    """Every line; raises SourceFault."""
    lines = (line.strip() for line in read_text(source).splitlines())
    return [_uri(line) for line in lines if line and not line.startswith("#")]


def _uri(line: str) -> Finding:
    beginning = line[: len(_TIME_BASED)].lower()
    try:
        split = urlsplit(line)
        asked = parse_qs(split.query)
    except ValueError:
        return Skipped("?", "", "this is no URI")
    values = {name: given[0] for name, given in asked.items()}
    issuer, _, account = unquote(split.path.lstrip("/")).rpartition(":")
    owner, label = account.strip(), (values.get("issuer") or issuer).strip()
    if beginning == _COUNTED:
        return Skipped(owner, label, EVENT_BASED)
    if beginning != _TIME_BASED:
        return Skipped(owner or "?", label, 'this does not begin with "otpauth://"')
    if not owner:
        return Skipped("?", label, NO_OWNER)
    secret = base32_secret(values.get("secret", ""))
    if secret is None:
        return Skipped(owner, label, "its secret is missing, or no base32")
    digits, period = whole_number(values.get("digits"), 6), whole_number(values.get("period"), 30)
    return Found(owner, label, ImportedSecret(secret, hash_name(values.get("algorithm")), digits, period))
