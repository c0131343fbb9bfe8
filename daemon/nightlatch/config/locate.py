"""Finds the line of a setting in TOML text, which `tomllib` does not tell.

The text is known to be valid TOML 1.0: `tomllib` has read it before.
"""

from __future__ import annotations

import re
import tomllib

Place = tuple[str | int, ...]
"""A setting's place: ("directories", 0, "urls", 1) for ``directories[0].urls[1]``."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}' r"|'''(?:[^']|'(?!''))*'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\n]*")
_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def place_of(dotted: str) -> Place:
    """``directories[0].urls`` as a place."""
    return tuple(int(index) if index else name for index, name in _PART.findall(dotted))


def dotted(place: Place) -> str:
    """A place as people write it."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def value_at(place: Place, data: object) -> object:
    """What TOML's data has at a place; None for nothing."""
    for part in place:
        if isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            data = data.get(part) if isinstance(data, dict) else None
    return data


def line_of(lines: dict[Place, int], place: Place) -> int:
    """The line of a place, or of the closest thing around it that the text has; 1 where there is none."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def lines_in(text: str) -> dict[Place, int]:
    """Every place that the text sets, with its line, counted from 1."""
    return _Scanner(text.replace("\r\n", "\n")).scan()


class _Scanner:
    """One pass over the text: headers, keys, and the items of arrays."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted = (0, 1)
        self._lines: dict[Place, int] = {}
        self._lengths: dict[Place, int] = {}

    def scan(self) -> dict[Place, int]:
        """Read to the end."""
        table: Place = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._take("[["):
                table = self._header(self._key(), array=True)
                self._take("]]")
            elif self._take("["):
                table = self._header(self._key(), array=False)
                self._take("]")
            else:
                self._setting(table)
            self._skip(_BLANK)
        return self._lines

    def _header(self, key: list[str], *, array: bool) -> Place:
        place: Place = ()
        for part in key[:-1]:
            place = self._latest((*place, part))
        place = (*place, key[-1])
        if array:
            self._lengths[place] = self._lengths.get(place, 0) + 1
            self._note(place)
            place = self._latest(place)
        self._note(place)
        return place

    def _latest(self, place: Place) -> Place:
        """The last table of an array of tables, where the place is one."""
        return (*place, self._lengths[place] - 1) if place in self._lengths else place

    def _setting(self, table: Place) -> None:
        place = table
        for part in self._key():
            place = (*place, part)
            self._note(place)
        self._skip(_BLANK)
        self._take("=")
        self._value(place)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(_BLANK)
            raw = self._skip(_KEY)
            parts.append(next(iter(tomllib.loads(f"{raw}=0"))))
            self._skip(_BLANK)
            if not self._take("."):
                return parts

    def _value(self, place: Place) -> None:
        self._skip(_BLANK)
        if self._take("["):
            self._array(place)
        elif self._take("{"):
            self._inline_table(place)
        elif not self._skip(_STRING):
            self._skip(_PLAIN)

    def _array(self, place: Place) -> None:
        index = 0
        self._skip(_BLANK)
        while not self._take("]"):
            self._note((*place, index))
            self._value((*place, index))
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)
            index += 1

    def _inline_table(self, place: Place) -> None:
        self._skip(_BLANK)
        while not self._take("}"):
            self._setting(place)
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)

    def _note(self, place: Place) -> None:
        start, line = self._counted
        line += self._text.count("\n", start, self._at)
        self._counted = (self._at, line)
        self._lines.setdefault(place, line)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match.group()

    def _take(self, mark: str) -> bool:
        found = self._text.startswith(mark, self._at)
        if found:
            self._at += len(mark)
        return found
