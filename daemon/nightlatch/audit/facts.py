"""The facts of an audit row: words like ``offset=-1 failures=2``, for programs."""

from __future__ import annotations


def facts_of(text: str) -> dict[str, int]:
    """The facts that are whole numbers, by name; what is malformed is left out."""
    found = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if name and equals and value.removeprefix("-").isascii() and value.removeprefix("-").isdigit():
            found[name] = int(value)
    return found
