"""A card, and the bytes that the daemon keeps of it.

    version 1 | rows | number of the next question | key

MUST 1: no cell is asked for twice, so that who has seen old answers knows nothing of the next.
MUST 2: cells, and the order in which they are asked for, follow from a key of 256 random bits alone.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from typing import Final

KEY_BYTES: Final = 32
COLUMNS: Final = 6
LETTERS: Final = "ABCDEFGHIJKL"
"""The names of the rows, and so the most that a card has."""
CELLS_ASKED: Final = 3
CELL_DIGITS: Final = 3
ANSWER_DIGITS: Final = CELLS_ASKED * CELL_DIGITS
_VERSION: Final = 1
_HEAD_BYTES: Final = 3


@dataclass(frozen=True, slots=True)
class Card:
    """One person's card. Cells are numbered row by row, from 0."""

    rows: int
    question: int
    """The next question, from 0; as `questions` when the card is used up."""
    key: bytes = field(repr=False)

    @property
    def questions(self) -> int:
        """How many logins the whole card is good for."""
        return self.rows * COLUMNS // CELLS_ASKED

    @property
    def left(self) -> int:
        """How many logins are left on it."""
        return self.questions - self.question

    @property
    def asked(self) -> tuple[int, ...]:
        """The cells of the next question; none when the card is used up."""
        order = sorted(range(self.rows * COLUMNS), key=lambda cell: self._derived("order", cell))
        start = self.question * CELLS_ASKED
        return tuple(order[start : start + CELLS_ASKED]) if self.left > 0 else ()

    @property
    def answer(self) -> str:
        """What the next question's cells say, in the order asked."""
        return "".join(self.digits(cell) for cell in self.asked)

    def digits(self, cell: int) -> str:
        """What is printed in a cell."""
        return f"{self._derived('cell', cell) % 10**CELL_DIGITS:0{CELL_DIGITS}}"

    def printed(self) -> tuple[tuple[str, str], ...]:
        """The card, line by line: the row's letter, and its cells."""
        heads = " ".join(f"{column:>{CELL_DIGITS}}" for column in range(1, COLUMNS + 1))
        lines = [
            (LETTERS[row], " ".join(self.digits(row * COLUMNS + column) for column in range(COLUMNS)))
            for row in range(self.rows)
        ]
        return ("column", heads), *lines

    def after(self) -> Card:
        """The card when its next question was answered."""
        return replace(self, question=self.question + 1)

    def encode(self) -> bytes:
        """Thirty-five bytes."""
        return bytes((_VERSION, self.rows, self.question)) + self.key

    def _derived(self, purpose: str, cell: int) -> int:
        return int.from_bytes(hmac.digest(self.key, f"{purpose} {cell}".encode(), "sha256"))


def decode(state: bytes) -> Card:
    """Read a state; raises ValueError, without its content, for one that this plugin did not write."""
    if len(state) != _HEAD_BYTES + KEY_BYTES:
        raise ValueError("the state of a paper card has another length")
    version, rows, question = state[:_HEAD_BYTES]
    if version != _VERSION:
        raise ValueError(f"the state of a paper card has version {version}; this plugin knows {_VERSION}")
    card = Card(rows, question, state[_HEAD_BYTES:])
    if not 0 < rows <= len(LETTERS) or card.left < 0:
        raise ValueError("the state of a paper card is damaged")
    return card


def cell_name(cell: int) -> str:
    """Where a cell is: "B4"."""
    return f"{LETTERS[cell // COLUMNS]}{cell % COLUMNS + 1}"
