"""QR codes in the terminal, read back by zbarimg."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

import pytest
from rich.console import Console

from nightlatch.cli.qr import draw
from testbed.qr import columns, decode

if TYPE_CHECKING:
    from pathlib import Path

URI = "otpauth://totp/example.com:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=example.com&algorithm=SHA256"


@pytest.mark.parametrize("length", [30, len(URI), 134, 200, 321, 425, 458])
def test_a_phone_reads_what_was_drawn_in_80_columns(length: int, tmp_path: Path) -> None:
    """Up to the longest names, half blocks fit 80 columns and say what they should."""
    payload = URI.ljust(length, "x")[:length]
    drawn = draw(payload, 80, coloured=False)
    assert drawn is not None
    lines = drawn.plain.split("\n")
    assert max(map(len, lines)) <= 80
    assert decode(lines, tmp_path) == payload


@pytest.mark.parametrize("system", ["standard", "256", "truecolor"])
def test_colours_are_set_for_both_halves(
    system: Literal["standard", "256", "truecolor"], tmp_path: Path
) -> None:
    """The code carries its own black and white, so that it reads on dark and on light terminals."""
    drawn = draw(URI, 80, coloured=True)
    assert drawn is not None
    file = io.StringIO()
    Console(file=file, force_terminal=True, color_system=system, width=80, no_color=False).print(drawn)
    lines = file.getvalue().splitlines()
    assert decode(lines, tmp_path) == URI
    assert {columns(line) for line in lines} == {columns(lines[0])}
    assert columns(lines[0]) <= 80


def test_the_quiet_zone_is_four_modules_where_there_is_room() -> None:
    """ISO/IEC 18004: four light modules on every side; two where four do not fit."""
    drawn = draw(URI, 80, coloured=False)
    assert drawn is not None
    lines = drawn.plain.split("\n")
    assert all(line.startswith("████") and line.endswith("████") for line in lines)
    assert lines[0] == lines[1] == "█" * len(lines[0])
    narrow = draw(URI, len(lines[0]) - 1, coloured=False)
    assert narrow is not None
    assert len(narrow.plain.split("\n")[0]) == len(lines[0]) - 4


@pytest.mark.parametrize(("payload", "width"), [(URI, 30), ("x" * 600, 80), ("x" * 5000, 10_000)])
def test_what_does_not_fit_is_not_drawn(payload: str, width: int) -> None:
    """A torn code helps nobody."""
    assert draw(payload, width, coloured=False) is None
