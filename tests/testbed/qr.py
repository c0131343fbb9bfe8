"""Reads a QR code off a terminal: characters and colours become pixels, zbarimg decodes them."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PLAIN = {"█": (255, 255), "▀": (255, 0), "▄": (0, 255), " ": (0, 0)}
_TOKEN = re.compile(r"\x1b\[([\d;]*)m|(.)")
_COLOURS = {
    "38;2;255;255;255": (255, None),
    "38;2;0;0;0": (0, None),
    "48;2;255;255;255": (None, 255),
    "48;2;0;0;0": (None, 0),
    "38;5;231": (255, None),
    "38;5;16": (0, None),
    "48;5;231": (None, 255),
    "48;5;16": (None, 0),
    "97": (255, None),
    "30": (0, None),
    "107": (None, 255),
    "40": (None, 0),
}
"""What rich writes for black and white: ink, paper."""
_SCALE = 6


def decode(lines: list[str], folder: Path) -> str:
    """What the code in `lines` says, by its colours or as a dark terminal shows it; empty when unreadable."""
    rows = [row for line in lines for row in _rows(line)]
    width = max(len(row) for row in rows)
    pixels = b"".join(
        bytes(value for value in row + [0] * (width - len(row)) for _ in range(_SCALE)) * _SCALE
        for row in rows
    )
    image = folder / "code.pgm"
    image.write_bytes(f"P5 {width * _SCALE} {len(rows) * _SCALE} 255\n".encode() + pixels)
    run = subprocess.run(
        ["zbarimg", "-q", "--raw", image], capture_output=True, text=True, timeout=30, check=False
    )
    return run.stdout.removesuffix("\n")


def code_lines(text: str) -> list[str]:
    """The lines of `text` that hold a code."""
    return [line for line in text.splitlines() if re.search("[█▀▄]", line)]


def columns(line: str) -> int:
    """How many columns a line takes."""
    return len(re.sub(r"\x1b\[[\d;]*m", "", line))


def _rows(line: str) -> tuple[list[int], list[int]]:
    """The two rows of modules in one line of characters."""
    ink, paper, coloured = 255, 0, False
    upper, lower = [], []
    for escape, character in _TOKEN.findall(line):
        if not character:
            coloured = escape not in {"", "0"}
            for name, (new_ink, new_paper) in _COLOURS.items():
                if re.search(rf"(?:^|;){name}(?:;|$)", escape):
                    ink = ink if new_ink is None else new_ink
                    paper = paper if new_paper is None else new_paper
        elif coloured:
            upper.append(ink)
            lower.append(paper)
        else:
            upper.append(_PLAIN[character][0])
            lower.append(_PLAIN[character][1])
    return upper, lower
