"""What a look at the whole audit may find."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FindingKind(Enum):
    """What somebody did to the audit."""

    EDITED = "edited"
    """A row is not as it was written."""
    REMOVED = "removed"
    """Rows are missing between others, or in front of them."""
    REORDERED = "reordered"
    """A row stands behind one that was written later."""
    CUT = "cut"
    """A signed head says that there were more rows at the end: cut away, or an old copy was restored."""
    ADDED = "added"
    """A row was not written by a daemon that has the key."""
    FORGED_HEAD = "forged_head"
    """A head is not signed by this installation's key, or says something else than the rows."""
    DAMAGED_TABLE = "damaged_table"
    """A table of the audit is not as nightlatch made it: changed by somebody, or restored by halves."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, and where."""

    kind: FindingKind
    words: str
    writer: str = ""
    first: int = 0
    """The first row that it is about, by its number in the writer's chain; 0 where it is about none."""
    last: int = 0
    row_id: int = 0
    """The row in the table, or the one behind the gap; 0 for none."""
    at: float = 0.0
    """When that row was written, as it says; 0 for none."""
