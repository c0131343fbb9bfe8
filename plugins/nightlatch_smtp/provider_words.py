"""What a provider said, fit to be logged and shown.

MUST 1: nothing that we know to be secret or a person's is in it: no code, password, token or address, and
        not in the encodings either that a provider may send back (LEK-01).
MUST 2: one printable line, of bounded length.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 300
SHORTEST_HIDDEN = 4
"""What is shorter is no secret, and would tear holes in a server's numbers."""
HIDDEN = "[…]"


def said(text: str, hidden: Iterable[str]) -> str:
    """`text` on one line, without `hidden`."""
    # A server that takes bytes apart may split what we look for; it is joined before it is looked at.
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    for secret in sorted(_forms(hidden), key=len, reverse=True):
        line = line.replace(secret, HIDDEN)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _forms(hidden: Iterable[str]) -> set[str]:
    plain = {secret for secret in hidden if len(secret) >= SHORTEST_HIDDEN}
    encoded = {b64encode(secret.encode()).decode() for secret in plain}
    return (
        plain | encoded | {form for secret in plain for form in (quote(secret, safe=""), quote_plus(secret))}
    )
