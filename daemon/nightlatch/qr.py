"""QR codes as modules and as characters: one character for two modules, one above the other."""

from __future__ import annotations

import segno

QUIET_ZONES = (4, 2)
"""Modules of light around the code: what ISO/IEC 18004 asks for, and what phones still read."""
_BLOCKS = {(True, True): " ", (False, True): "▀", (True, False): "▄", (False, False): "█"}
"""By (upper is dark, lower is dark): light modules are drawn, for the light text of a dark terminal."""

Pair = tuple[bool, bool]
"""Two modules, the upper and the lower one; True for dark."""


def module_pairs(payload: str, width: int) -> list[list[Pair]] | None:
    """The code's lines of characters to be, or None where `width` columns are too few for it."""
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
    return [list(zip(upper, lower, strict=True)) for upper, lower in pairs]


def half_blocks(pairs: list[Pair]) -> str:
    """One line of a code, without colours: it is read where text is light on dark."""
    return "".join(_BLOCKS[pair] for pair in pairs)
