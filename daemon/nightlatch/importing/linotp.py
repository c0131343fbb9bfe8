"""OATH CSV as LinOTP reads and writes it: serial, key, type, digits, time step, hash, and the person.

``serial, key, totp, 6, 30, sha1, alice``: what is left out has LinOTP's own default. LinOTP knows no
column for the person; where it is missing, the owner comes from the map, by the serial number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nightlatch.factor import ImportedSecret
from nightlatch.importing.found import (
    EVENT_BASED,
    Finding,
    Found,
    Skipped,
    base32_secret,
    hash_name,
    hex_secret,
    read_text,
    whole_number,
)

if TYPE_CHECKING:
    from pathlib import Path

_TIME_BASED = re.compile(r"\s*totp\s*", re.IGNORECASE)
_COUNTED = re.compile(r"(?:hotp|hmac)?", re.IGNORECASE)
_COLUMNS = 7
_HASHES = {128: "SHA512", 64: "SHA256"}


def read(source: Path, _key: Path | None = None) -> list[Finding]:
    """Every line; raises SourceFault."""
    lines = ([cell.strip() for cell in line.split(",")] for line in read_text(source).splitlines())
    return [_line(cells) for cells in lines if cells != [""] and not cells[0].startswith("#")]


def _line(cells: list[str]) -> Finding:
    serial, key, kind, digits, period, hashed, owner = (cells + [""] * _COLUMNS)[:_COLUMNS]
    login, _, realm = owner.rpartition("@")
    owner, realm = (login or realm, realm if login else "")
    who = owner or serial or "?"
    if _COUNTED.fullmatch(kind):
        return Skipped(who, serial, EVENT_BASED)
    if not _TIME_BASED.fullmatch(kind):
        return Skipped(who, serial, f"of a kind that is not supported: {kind}")
    secret = hex_secret(key) or base32_secret(key)
    if secret is None:
        return Skipped(who, serial, "its key is neither hexadecimal nor base32")
    algorithm = hash_name(hashed or _HASHES.get(len(key)))
    what = ImportedSecret(secret, algorithm, whole_number(digits, 6), whole_number(period, 30))
    return Found(owner, serial, what, realm=realm, serial=serial)
