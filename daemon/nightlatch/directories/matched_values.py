"""Of an attribute only the values that were asked about (RFC 3876): not the ten thousand other members."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightlatch.directories.ldap_link import Control

_OID = "1.2.826.0.1.3344810.2.3"
_SEQUENCE, _OCTETS, _EQUALITY, _PRESENT = 0x30, 0x04, 0xA3, 0x87


def matched_values(present: Iterable[str], equal: Iterable[tuple[str, str]]) -> Control:
    """Return `present` attributes whole, and of others the values that `equal` (attribute, value) names.

    Not critical: a server that does not know it sends all values.
    """
    items = b"".join(
        (
            *(_element(_PRESENT, attribute.encode()) for attribute in present),
            *(_equality(attribute, value) for attribute, value in equal),
        )
    )
    return (_OID, False, _element(_SEQUENCE, items))


def _equality(attribute: str, value: str) -> bytes:
    return _element(_EQUALITY, _element(_OCTETS, attribute.encode()) + _element(_OCTETS, value.encode()))


def _element(tag: int, content: bytes) -> bytes:
    """An element in BER with a definite length (X.690, 8.1.3)."""
    count = len(content)
    if count < 0x80:  # noqa: PLR2004 - the short form
        return bytes((tag, count)) + content
    size = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content
