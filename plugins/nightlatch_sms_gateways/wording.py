"""What a provider said, made fit for a log, the audit and an administrator's terminal.

MUST 1: no credential, no code and no other value of the message is left, however it is escaped or spaced.
MUST 2: of a number, at most the last two digits are left.
MUST 3: it is one short line of printable characters.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from nightlatch_sms_gateways.number import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 200
"""Characters of a provider's words that are passed on."""
SHORTEST_VALUE = 4
"""A value of fewer characters ("5" minutes) is no secret, and hiding it would only garble the words."""
_HIDDEN = "•••"
_DIGITS = re.compile(r"\+?\d(?:[\s().\-/]{0,2}\d){4,}")
_MARKUP = re.compile(r"<[^>]{0,400}>")


@dataclass(frozen=True, slots=True, repr=False)
class Private:
    """What must not be seen again when a provider repeats it."""

    address: str
    values: tuple[str, ...] = ()
    """The message's text and values, and the credentials."""

    def clean(self, words: str) -> str:
        """`words` without anything private, on one line."""
        line = " ".join("".join(one if one.isprintable() else " " for one in words).split())
        for value in sorted(self.values, key=len, reverse=True):
            for pattern in _patterns(value):
                line = re.sub(pattern, _HIDDEN, line)
        line = _DIGITS.sub(self._number, line)
        return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"

    def is_in(self, text: str) -> bool:
        """Whether a text, such as an id, repeats something private."""
        known = (self.address[1:], *(value for value in self.values if len(value) >= SHORTEST_VALUE))
        return any(value in text for value in known)

    def _number(self, found: re.Match[str]) -> str:
        """Every long run of digits may be a number or a code, in whatever national form."""
        digits = re.sub(r"\D", "", found.group())
        return masked(self.address) if digits.endswith(self.address[-4:]) else _HIDDEN


def without_markup(text: str) -> str:
    """The words of an error page."""
    return html.unescape(_MARKUP.sub(" ", text))


def _patterns(value: str) -> Iterator[str]:
    """How a value may come back: as it is, escaped for some format, and with other separators."""
    if len(value) < SHORTEST_VALUE:
        return
    for form in {
        value,
        quote(value, safe=""),
        quote_plus(value),
        json.dumps(value)[1:-1],
        html.escape(value),
    }:
        yield rf"(?i){re.escape(form)}"
    letters = [one for one in value if one.isalnum()]
    if SHORTEST_VALUE <= len(letters) <= LONGEST:
        yield r"(?i)" + r"[\W_]{0,3}".join(map(re.escape, letters))
