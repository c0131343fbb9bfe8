"""How a name that no directory has told is remembered: under a keyed hash, because it may be a password."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata


def unknown_id(name_key: bytes, name: str) -> str:
    """One key for all spellings of a name, as directories take them for one; never an account's id."""
    folded = unicodedata.normalize("NFKC", name).strip().casefold()
    return "?" + hmac.new(name_key, folded.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]
