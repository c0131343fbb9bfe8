"""Authelia's YAML: what ``authelia storage user totp export`` writes."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from nightlatch.factor import ImportedSecret
from nightlatch.importing.found import (
    Finding,
    Found,
    Skipped,
    SourceFault,
    base32_secret,
    hash_name,
    read_text,
    whole_number,
)
from nightlatch.importing.yaml_file import mappings_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LIST = "totp_configurations"


def read(source: Path, _key: Path | None = None) -> list[Finding]:
    """Every configuration; raises SourceFault."""
    entries = mappings_in(read_text(source), source, _LIST)
    if entries is None:
        raise SourceFault(f"{source} has no list {_LIST}: it is no export of Authelia's.")
    return [_one(entry) for entry in entries]


def _one(entry: Mapping[str, object]) -> Finding:
    owner, label = str(entry.get("username") or "?"), str(entry.get("issuer") or "")
    secret = _secret(str(entry.get("secret") or ""))
    if secret is None:
        return Skipped(owner, label, "its secret can not be read")
    digits, period = whole_number(entry.get("digits"), 6), whole_number(entry.get("period"), 30)
    return Found(owner, label, ImportedSecret(secret, hash_name(entry.get("algorithm")), digits, period))


def _secret(text: str) -> bytes | None:
    """The secret: base32, put into base64 once more."""
    try:
        return base32_secret(base64.b64decode(text, validate=True).decode("ascii"))
    except (binascii.Error, ValueError):
        return None
