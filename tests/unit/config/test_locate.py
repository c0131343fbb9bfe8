"""Finding the line of a setting in TOML text."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.config.locate import dotted, line_of, lines_in, place_of, value_at

if TYPE_CHECKING:
    from nightlatch.config.locate import Place

TEXT = '''\
# a comment with [no.table] in it
top = 1   # and = one here

[store]
url = """
[not.a.table]
key = 1
"""
"quoted key" = 'a # b'
a.b."c.d" = [1, [2,
  3], { x = 4, y = [5,
  6] }]   # trailing
[[directories]]
name = "one"
urls = [
  # none here, though it has a ] and a "
  "ldaps://a]",  # a "quote"
  'ldaps://b#"',
]
[directories.more]
deep = true
[[directories]]
name = "two"
when = 1979-05-27 07:32:00
[[directories.list]]
n = 1
[[directories.list]]
n = 2
[ "spaced" . 'table' ]
last = \'\'\'
x = 1\'\'\'
end = ""
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("top", 2),
        ("store", 4),
        ("store.url", 5),
        ("store.quoted key", 9),
        ("store.a.b", 10),
        ("directories[0]", 13),
        ("directories[0].urls", 15),
        ("directories[0].urls[0]", 17),
        ("directories[0].urls[1]", 18),
        ("directories[0].more.deep", 21),
        ("directories[1]", 22),
        ("directories[1].when", 24),
        ("directories[1].list[0].n", 26),
        ("directories[1].list[1].n", 28),
        ("spaced.table.last", 30),
        ("spaced.table.end", 32),
        ("directories[1].missing", 22),
        ("directories[0].urls[7]", 15),
        ("nothing.of.this", 1),
    ],
)
def test_lines_of_places(place: str, line: int) -> None:
    """Headers, dotted keys, strings and lists of several lines; else the closest thing around."""
    assert line_of(lines_in(TEXT), place_of(place)) == line


def test_items_of_lists_in_lists() -> None:
    """Lists and inline tables inside lists are counted, whatever stands between."""
    lines, array = lines_in(TEXT), ("store", "a", "b", "c.d")
    assert [lines[(*array, *inner)] for inner in ((0,), (1, 0), (1, 1), (2, "x"), (2, "y", 1))] == [
        10,
        10,
        11,
        11,
        12,
    ]


@pytest.mark.parametrize("place", ["directories[0].urls[1]", "a", "a[0][1]", "factors.totp.digits"])
def test_places_are_written_as_they_are_read(place: str) -> None:
    """`dotted` and `place_of` are each other's opposite."""
    assert dotted(place_of(place)) == place


def test_windows_line_ends() -> None:
    """CR LF ends a line once."""
    assert lines_in("a = 1\r\nb = 2\r\n")["b",] == 2


_STRINGS = ['""', '"a]b}#"', "'c[\"='", '"""\n[x]\ny = 1\n"""', "'''it''s\n'''", '"\\""', '""""q"""""']
_SCALARS = st.sampled_from(["1", "-0.5", "true", "inf", "2001-01-01", "07:32:00", *_STRINGS])
_ENDS = st.sampled_from(["", ","])
_GAPS = st.sampled_from(["", " ", "\n", " # ] } = [x]\n", "\n\n  "])


@st.composite
def _arrays(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    items = draw(st.lists(values, max_size=4))
    inside = ",".join(f"{draw(_GAPS)}{item}{draw(_GAPS)}" for item in items)
    return f"[{inside}{draw(_ENDS) if items else ''}{draw(_GAPS)}]"


@st.composite
def _inline_tables(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    items = draw(st.lists(values, max_size=3))
    return "{" + ", ".join(f'k{number} ."x y"= {item}' for number, item in enumerate(items)) + "}"


_VALUES = st.recursive(_SCALARS, lambda inner: _arrays(inner) | _inline_tables(inner), max_leaves=8)


@st.composite
def _documents(draw: st.DrawFn) -> str:
    lines = []
    for number, value in enumerate(draw(st.lists(_VALUES, max_size=4))):
        lines += [draw(st.sampled_from(["", "# [c]", "[[t]]", "[[t.u]]" if "[[t]]" in lines else "[[t]]"]))]
        lines += [f"k{number} = {value} # = [end"]
    return "\n".join([*lines, ""])


@given(_documents())
def test_every_place_of_any_text_is_found(text: str) -> None:
    """Whatever tomllib reads, the scanner places: all that is set, nothing that is not, and in order."""
    data = tomllib.loads(text)
    lines = lines_in(text)
    assert set(lines) == set(_places((), data))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())
    for place, line in lines.items():
        if len(place) > 0 and str(place[-1]).startswith("k") and not isinstance(value_at(place, data), dict):
            assert str(place[-1]) in text.split("\n")[line - 1]


def _places(place: Place, value: object) -> list[Place]:
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    inner = [found for key, each in items for found in _places((*place, key), each)]
    return [*([place] if place else []), *inner]
