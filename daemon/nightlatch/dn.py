"""Distinguished names (RFC 4514): taken apart and compared, never built."""

from __future__ import annotations

_HEX = frozenset("0123456789abcdefABCDEF")


def split_dn(text: str) -> tuple[str, ...]:
    r"""Take a DN apart: one comparable text per component, the most special first.

    Case, spaces around separators and the way in which a character is escaped (``\,`` or ``\2c``)
    make no difference. Raises ValueError where `text` is no DN or is empty.
    """
    if not text.strip():
        raise ValueError("a DN is expected, such as ou=people,dc=example,dc=com")
    return tuple(_component(raw) for raw in _split(text, ","))


def is_dn(text: str) -> bool:
    """Whether a text is a DN."""
    try:
        return bool(split_dn(text))
    except ValueError:
        return False


def lies_under(dn: str, base: str) -> bool:
    """Whether `dn` names an entry below `base`, or `base` itself; False where `dn` is no DN."""
    top = split_dn(base)
    try:
        return split_dn(dn)[-len(top) :] == top
    except ValueError:
        return False


def rdn_values(dn: str, attribute: str) -> tuple[str, ...]:
    """What an entry's own part of its DN says of an attribute, casefolded; raises ValueError for no DN."""
    pairs = (pair.partition("=") for pair in _split(_split(dn, ",")[0], "+"))
    return tuple(_plain(value) for kind, _, value in pairs if kind.strip().lower() == attribute.lower())


def _component(raw: str) -> str:
    parts = []
    for pair in _split(raw, "+"):
        kind, equal, value = pair.partition("=")
        if not equal or not kind.strip() or not value.strip():
            raise ValueError(f"{raw.strip()!r} is no part of a DN: attribute=value is expected")
        parts.append(f"{kind.strip().lower()}={_plain(value)}")
    return "+".join(sorted(parts))


def _split(text: str, separator: str) -> list[str]:
    parts, start, escaped = [], 0, False
    for at, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == separator:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return parts


def _plain(value: str) -> str:
    """Undo RFC 4514's escapes, so that equal values are equal texts."""
    value = value.strip() if not value.rstrip().endswith("\\") else value.lstrip()
    out, at = bytearray(), 0
    while at < len(value):
        character, pair = value[at], value[at + 1 : at + 3]
        if character != "\\":
            out += character.encode()
            at += 1
        elif len(pair) == 2 and set(pair) <= _HEX:  # noqa: PLR2004 - two digits make a byte
            out.append(int(pair, 16))
            at += 3
        elif pair:
            out += pair[0].encode()
            at += 2
        else:
            raise ValueError("a DN ends in the middle of an escape")
    return bytes(out).decode(errors="surrogateescape").casefold()
