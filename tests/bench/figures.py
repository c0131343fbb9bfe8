"""Figures of a run: kept together with what they are compared with, printed as a table, written as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `ratio` is the value over that of `beside`, measured in the same run."""

    name: str
    value: float
    unit: str
    beside: str = ""
    ratio: float | None = None


def beside(name: str, value: float, unit: str, other: Figure) -> Figure:
    """A figure with its ratio to another."""
    return Figure(name, value, unit, other.name, round(value / other.value, 3))


def report(figures: list[Figure], path: Path) -> None:
    """Print the table, and write the JSON."""
    table = Table("what", "value", "unit", "beside", "ratio")
    for column in (1, 4):
        table.columns[column].justify = "right"
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        table.add_row(figure.name, f"{figure.value:,.2f}", figure.unit, figure.beside, ratio)
    console = Console()
    (console if console.is_terminal else Console(width=120)).print(table)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")
