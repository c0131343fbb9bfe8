"""Whether a store is older than what this host has signed of it: a backup was put back, and not made safe.

The signed heads of the audit are kept beside the store, so they do not go back with it.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.audit.heads import HeadKind
from nightlatch.store.database import Query
from nightlatch.store.opening import EPOCH, database_at, reported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_WRITER = re.compile("[0-9a-f]{1,64}")
_ROWS = {HeadKind.HEAD.value, HeadKind.CLOSED.value}
"""Heads that say that a row was there."""


@dataclass(frozen=True, slots=True)
class _Signed:
    at: float
    writer: str
    sequence: int


def is_behind(lines: Iterable[str], one: Callable[[str], str]) -> bool:
    """Whether the row of the newest of these heads is not in the store, and no restore since explains that.

    `one` asks the store, and gives the first column of the first row as text, empty for none.
    """
    newest = max(_signed(lines), key=lambda head: head.at, default=None)
    if newest is None or newest.at <= restored_at(one(f"select value from meta where name = '{EPOCH}'")):  # noqa: S608  # a word of our own
        return False
    writer = f"writer = '{newest.writer}'"  # hexadecimal digits
    there = one(f"select 1 from audit where {writer} and sequence >= {newest.sequence} limit 1")  # noqa: S608  # see above
    return not there and not one(f"select 1 from audit_writers where {writer} and pruned <> ''")  # noqa: S608  # see above


def store_is_behind(url: str, lines: Iterable[str]) -> bool:
    """`is_behind`, of the store at `url`. Blocks; raises ConfigError and Unavailable as `open_store` does."""
    with reported(), contextlib.closing(database_at(url).connect()) as session:

        def one(sql: str) -> str:
            [rows] = session.read([Query(sql, ())])
            return str(rows[0][0]) if rows else ""

        return is_behind(lines, one)


def epoch_of(now: float, random: bytes) -> str:
    """A new epoch: when it began, and something that nobody had before."""
    return f"{now:.3f}-{random.hex()}"


def restored_at(epoch: str) -> float:
    """When an epoch began, in Unix seconds; 0 for the first."""
    try:
        return float(epoch.partition("-")[0])
    except ValueError:
        return 0.0


def _signed(lines: Iterable[str]) -> Iterable[_Signed]:
    """The heads of rows; what is malformed is for `nightlatch audit verify` to tell."""
    for line in lines:
        try:
            fields = json.loads(line)
            if fields["kind"] in _ROWS and _WRITER.fullmatch(fields["writer"]):
                yield _Signed(float(fields["at"]), fields["writer"], int(fields["sequence"]))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue
