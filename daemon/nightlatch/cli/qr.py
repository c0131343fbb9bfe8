"""Draws QR codes in a terminal, in black and white where it has colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from nightlatch.qr import half_blocks, module_pairs

if TYPE_CHECKING:
    from nightlatch.qr import Pair

_LIGHT, _DARK = "#ffffff", "#000000"


def draw(payload: str, width: int, *, coloured: bool) -> Text | None:
    """The code as lines of text, or None where `width` columns are too few for it.

    Where there are colours, both are set, so that it can be read on dark and on light terminals alike.
    """
    lines = module_pairs(payload, width)
    if lines is None:
        return None
    return Text("\n", no_wrap=True).join(_line(pairs, coloured=coloured) for pairs in lines)


def _line(pairs: list[Pair], *, coloured: bool) -> Text:
    if not coloured:
        return Text(half_blocks(pairs), no_wrap=True)
    return Text.assemble(*(("▀", _style(pair)) for pair in pairs), no_wrap=True)


def _style(pair: Pair) -> str:
    upper, lower = pair
    return f"{_DARK if upper else _LIGHT} on {_DARK if lower else _LIGHT}"
