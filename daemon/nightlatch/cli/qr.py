"""Draws QR codes in a terminal: one character for two modules, one above the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import segno
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

QUIET_ZONES = (4, 2)
"""Modules of light around the code: what ISO/IEC 18004 asks for, and what phones still read."""
_LIGHT, _DARK = "#ffffff", "#000000"
_BLOCKS = {(True, True): " ", (False, True): "▀", (True, False): "▄", (False, False): "█"}
"""By (upper is dark, lower is dark): light modules are drawn, for the light text of a dark terminal."""


def draw(payload: str, width: int, *, coloured: bool) -> Text | None:
    """The code as lines of text, or None where `width` columns are too few for it.

    Where there are colours, both are set, so that it can be read on dark and on light terminals alike.
    """
    try:
        code = segno.make(payload, error="l", micro=False, boost_error=False)
    except segno.DataOverflowError:
        return None
    border = next((zone for zone in QUIET_ZONES if code.symbol_size(border=zone)[0] <= width), None)
    if border is None:
        return None
    rows = [[bool(module) for module in row] for row in code.matrix_iter(border=border)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return Text("\n", no_wrap=True).join(_line(upper, lower, coloured=coloured) for upper, lower in pairs)


def _line(upper: Sequence[bool], lower: Sequence[bool], *, coloured: bool) -> Text:
    modules = zip(upper, lower, strict=True)
    if not coloured:
        return Text("".join(_BLOCKS[pair] for pair in modules), no_wrap=True)
    return Text.assemble(*(("▀", style) for style in _styles(modules)), no_wrap=True)


def _styles(modules: Iterator[tuple[bool, bool]]) -> Iterator[str]:
    for upper, lower in modules:
        yield f"{_DARK if upper else _LIGHT} on {_DARK if lower else _LIGHT}"
