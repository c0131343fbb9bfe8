"""RFC 6030: Portable Symmetric Key Containers, encrypted or not, read by python-pskc.

The key file holds the key in hexadecimal where the container was encrypted with a key, and the password where
its key is derived from one.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

import pskc
from defusedxml import DefusedXmlException, ElementTree
from pskc.exceptions import PSKCError

from nightlatch.factor import ImportedSecret
from nightlatch.importing.found import (
    EVENT_BASED,
    Finding,
    Found,
    Skipped,
    SourceFault,
    hash_name,
    hex_secret,
    read_plain_file,
    read_text,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pskc.key import Key

_TIME_BASED = (":pskc:totp", "#totp")
_COUNTED = (":pskc:hotp", "#hotp")
_BEGINNING = 4096


def read(source: Path, key: Path | None = None) -> list[Finding]:
    """Every key of the container; raises SourceFault."""
    content = read_plain_file(source)
    try:
        ElementTree.fromstring(content)  # refuses entities, which python-pskc might not
        container = pskc.PSKC(io.BytesIO(content))
    except (PSKCError, ParseError, DefusedXmlException, ValueError):
        raise SourceFault(_other_words(source, content)) from None
    if container.encryption.is_encrypted:
        _unlock(container, key, source)
    return [_one(each) for each in container.keys]


def _other_words(source: Path, content: bytes) -> str:
    if b"<keycontainer" in content[:_BEGINNING]:  # RFC 6030 writes KeyContainer
        return (
            f"{source} is privacyIDEA's own kind of PSKC, which is not that of RFC 6030. "
            "Let it write --format yaml, and import that as privacyidea."
        )
    return f"{source} is no container of RFC 6030 (PSKC)."


def _unlock(container: pskc.PSKC, key: Path | None, source: Path) -> None:
    if key is None:
        raise SourceFault(f"{source} is encrypted. Give a file with its key or its password: --key-file.")
    text = read_text(key).strip()
    if not container.encryption.derivation.algorithm:
        secret = hex_secret(text)
        if secret is None:
            raise SourceFault(f"{source} is encrypted with a key, and {key} holds none in hexadecimal.")
        container.encryption.key = secret
        return
    try:
        container.encryption.derive_key(text)
    except PSKCError:
        raise SourceFault(f"{source} has a way to derive keys that is not supported.") from None


def _one(each: Key) -> Finding:
    owner, serial = (each.userid or "").strip(), (each.serial or each.id or "").strip()
    who = owner or serial or "?"
    why = _unusable(each)
    if why:
        return Skipped(who, serial, why)
    try:
        secret, period = each.secret, each.time_interval or 30
    except PSKCError:
        return Skipped(who, serial, "it can not be decrypted with this key, or was changed")
    if not secret:
        return Skipped(who, serial, "it has no secret in it")
    what = ImportedSecret(secret, hash_name(each.algorithm_suite), each.response_length or 6, period)
    return Found(owner, serial, what, serial=serial)


def _unusable(each: Key) -> str:
    """Why a key is not taken over; empty where nothing is against it."""
    algorithm = (each.algorithm or "").lower()
    if algorithm.endswith(_COUNTED):
        return EVENT_BASED
    if not algorithm.endswith(_TIME_BASED):
        return f"of a kind that is not supported: {each.algorithm or 'not said'}"
    return "" if each.policy.may_use() else "its policy does not let it be used (any more)"
