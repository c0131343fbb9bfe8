"""What ``pi-tokenjanitor find export`` of privacyIDEA writes: ``--format yaml``, ``csv``, or its own ``pi``.

``pi`` is JSON in a Fernet token, whose key it prints; the key file holds it. Older releases name nobody in
it. CSV says no hash, so that it is taken from the secret's length, and disabled and revoked tokens look
there like all others. Tests hold this to what privacyIDEA 3.14 writes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken

from nightlatch.factor import ImportedSecret
from nightlatch.importing.found import (
    EVENT_BASED,
    Finding,
    Found,
    Skipped,
    SourceFault,
    base32_secret,
    hash_name,
    hex_secret,
    read_text,
    whole_number,
)
from nightlatch.importing.yaml_file import mappings_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PIN_NOTE = "its PIN is not asked for here: the password of the directory is"
HASH_NOTE = (
    "CSV says neither its hash, taken from the secret's length, nor whether it was disabled or revoked"
)
_TIME_BASED = re.compile(r"\s*totp\s*", re.IGNORECASE)
_COUNTED = re.compile(r"\s*hotp\s*", re.IGNORECASE)
_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_NOBODY = "n/a"
_FIELDS = ("owner", "serial", "otpkey", "type", "otplen", "timeStep")
_HASHES = {32: "SHA256", 64: "SHA512"}


def read(source: Path, key: Path | None = None) -> list[Finding]:
    """Every token; raises SourceFault."""
    text = read_text(source)
    if text.startswith("gAAAA"):  # the version and the first bytes of the time of every Fernet token
        return [_one(entry) for entry in _decrypted(text, key, source)]
    if re.match(r"\s*(?:- |\[)", text):
        entries = mappings_in(text, source)
    else:
        lines = [line for line in text.splitlines() if line.strip()]
        entries = [_entry(line) for line in lines if line.count(",") >= len(_FIELDS) - 2]
        if len(entries) != len(lines):
            raise SourceFault(f"{source} has lines that are none of privacyIDEA's CSV.")
    if not entries:
        raise SourceFault(f"{source} is no export of privacyIDEA's: it has no list of tokens.")
    return [_one(entry) for entry in entries]


def _decrypted(text: str, key: Path | None, source: Path) -> list[Mapping[str, object]]:
    if key is None:
        raise SourceFault(
            f"{source} is encrypted. Give the key that pi-tokenjanitor printed with --key-file."
        )
    try:
        entries = json.loads(Fernet(read_text(key).strip()).decrypt(text.strip()))
    except (InvalidToken, ValueError):
        raise SourceFault(f"{source} can not be decrypted with the key in {key}.") from None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _entry(line: str) -> Mapping[str, object]:
    """A line of CSV; owners may have commas in their names, the rest has none."""
    kind_at = 3
    cells = [cell.strip() for cell in line.split(",")]
    width = len(_FIELDS) if _TIME_BASED.fullmatch(cells[-3]) else len(_FIELDS) - 1
    cells = [",".join(cells[: 1 - width]), *cells[1 - width :]]
    fields: dict[str, object] = dict(zip(_FIELDS, cells, strict=False))
    secret = _secret(cells[2]) or b""
    hashed = _HASHES.get(len(secret), "SHA1")
    step = cells[5] if _TIME_BASED.fullmatch(cells[kind_at]) and len(cells) > kind_at + 2 else None
    return {**fields, "info_list": {"timeStep": step, "hashlib": hashed}, "note": HASH_NOTE}


def _one(entry: Mapping[str, object]) -> Finding:
    serial, kind = str(entry.get("serial") or ""), str(entry.get("type") or "")
    owner, realm = _owner(entry)
    who = owner or serial or "?"
    why = _unusable(entry, kind)
    if why:
        return Skipped(who, serial, why)
    secret = _secret(str(entry.get("otpkey") or ""))
    if secret is None:
        return Skipped(who, serial, "its secret can not be read")
    info = entry.get("info_list")
    details: Mapping[str, object] = info if isinstance(info, dict) else {}
    digits, period = whole_number(entry.get("otplen"), 6), whole_number(details.get("timeStep"), 30)
    what = ImportedSecret(secret, hash_name(details.get("hashlib")), digits, period)
    note = str(entry.get("note") or (PIN_NOTE if entry.get("_hashed_pin") else ""))
    return Found(owner, str(entry.get("description") or serial), what, note, realm, serial)


def _unusable(entry: Mapping[str, object], kind: str) -> str:
    """Why a token is not taken over; empty where nothing is against it."""
    if _COUNTED.fullmatch(kind):
        return EVENT_BASED
    if not _TIME_BASED.fullmatch(kind):
        return f"of a kind that is not supported: {kind or 'not said'}"
    if entry.get("revoked") or entry.get("locked"):
        return "locked or revoked there"
    if entry.get("active") is False:
        return "disabled there"
    return "not enrolled to its end there" if entry.get("rollout_state") in {"clientwait", "verify"} else ""


def _owner(entry: Mapping[str, object]) -> tuple[str, str]:
    """Login and realm; both empty where the token is nobody's."""
    user = entry.get("user")
    if isinstance(user, dict):
        return str(user.get("login") or ""), str(user.get("realm") or "")
    text = str(entry.get("owner") or _NOBODY)
    login, _, realm = text.rpartition("@")
    return ("", "") if text == _NOBODY else (login or realm, realm if login else "")


def _secret(text: str) -> bytes | None:
    return hex_secret(text) if _HEX.fullmatch(text) else base32_secret(text)
