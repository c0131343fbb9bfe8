"""Texts with {placeholders}, and how a value is written at each place.

MUST 1: a value is escaped for the place where it stands; it ends no field, string, header or element there.
MUST 2: only the names that are known are filled in: no attribute, index, conversion or format is followed.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Escape = Callable[[str], str]
"""Writes a value for one kind of place."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def in_url(value: str) -> str:
    """For a path or a query (RFC 3986): everything but unreserved characters as %XX."""
    return quote(value, safe="")


def in_form(value: str) -> str:
    """For application/x-www-form-urlencoded."""
    return quote_plus(value)


def in_json(value: str) -> str:
    """For the inside of a JSON string (RFC 8259)."""
    return json.dumps(value)[1:-1]


def in_xml(value: str) -> str:
    """For an element's text or an attribute."""
    return escape(value, {'"': "&quot;", "'": "&apos;"})


def as_it_is(value: str) -> str:
    """For places whose escaping comes later, or that have none."""
    return value


def names_in(text: str) -> set[str]:
    """The placeholders of a text; raises ValueError for braces that are none."""
    return {name for _, name in _parts(text) if name is not None}


def filled(text: str, values: Mapping[str, str], escaped: Escape) -> str:
    """`text` with its placeholders replaced; {{ and }} become { and }."""
    return "".join(
        literal + ("" if name is None else escaped(values[name])) for literal, name in _parts(text)
    )


def _parts(text: str) -> Iterator[tuple[str, str | None]]:
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        raise ValueError(
            "a brace stands alone.\nWrite {{ and }} for braces that are meant as such."
        ) from None
    for literal, name, format_spec, conversion in parts:
        if name is not None and (format_spec or conversion or _NAME.fullmatch(name) is None):
            raise ValueError(
                f'"{{{name}}}" is no placeholder.\nWrite {{to}} or {{text}}; {{{{ and }}}} for mere braces.'
            )
        yield literal, name
