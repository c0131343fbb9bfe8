"""Walks along one writer's chain, and finds where it was touched.

MUST 1: what is not proven right is found: a row whose link does not fit, a number that is missing.
MUST 2: one change is one finding, as far as that can be told; the walk goes on behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.audit.findings import Finding, FindingKind
from nightlatch.audit.heads import ForgedHead, Head, HeadKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightlatch.audit.evidence import AuditKeys
    from nightlatch.model import AuditEvent, AuditRow, AuditWriter

_OTHER_HEAD = "a head in the table of writers is of something else"


class ChainWalk:
    """One writer's rows, taken in the order of their numbers."""

    def __init__(self, keys: AuditKeys, writer: AuditWriter, witnessed: Iterable[Head] = ()) -> None:
        """`witnessed` are heads of this writer that were kept elsewhere; their signatures are right."""
        self._keys = keys
        self._writer = writer.writer
        self._findings: list[Finding] = []
        self._heads: dict[int, list[Head]] = {}
        if not writer.opened:
            self._find(FindingKind.FORGED_HEAD, "the table of writers has no head of how this one began")
        own = [self._read(line, kinds) for line, kinds in _lines(writer)]
        self._known = any(head is not None for head in own)
        for head in (*witnessed, *(head for head in own if head is not None)):
            self._heads.setdefault(head.sequence, []).append(head)
        pruned = self._read(writer.pruned, {HeadKind.PRUNED}) if writer.pruned else None
        self._pruned = pruned.sequence if pruned else 0
        self._last = self._pruned
        self._before: tuple[bytes, ...] = (pruned.chain if pruned else keys.chain.start(self._writer),)
        self._last_id = 0
        self._check_heads(self._pruned, self._before[0], 0)
        self.rows = 0
        """How many rows were taken."""

    @property
    def expected(self) -> int:
        """How many rows there should be at least, by the heads."""
        return max((0, *self._heads)) - self._pruned

    def take(self, rows: Iterable[AuditRow]) -> None:
        """Look at the next rows."""
        for row in rows:
            self.rows += 1
            self._take(row)

    def finish(self) -> None:
        """There are no more rows."""
        furthest = max((0, *self._heads))
        if furthest > self._last:
            words = f"{furthest - self._last} rows at the end are missing: a signed head has them"
            self._find(FindingKind.CUT, words, self._last + 1, furthest)
        elif self._known and self._last == 0:
            self._find(FindingKind.CUT, "all rows of this writer are missing", 1)

    def findings(self) -> tuple[Finding, ...]:
        """What was found since the last call."""
        found, self._findings = tuple(self._findings), []
        return found

    def _take(self, row: AuditRow) -> None:
        number = row.sequence
        if number <= self._last:
            back = "was forgotten before, and is back" if number <= self._pruned else "is there twice"
            self._find(FindingKind.ADDED, f"row {number} {back}", number, row=row)
            return
        gap = number > self._last + 1
        if gap:
            count = number - self._last - 1
            words = f"{count} row{'s are' if count > 1 else ' is'} missing"
            self._find(FindingKind.REMOVED, words, self._last + 1, number - 1, row)
        links = [self._link(before, row) for before in self._before]
        if row.id < self._last_id:
            words = f"row {number} stands in front of row {self._last}, which was written before it"
            self._find(FindingKind.REORDERED, words, number, row=row)
        elif not gap and row.chain not in links:
            self._find(FindingKind.EDITED, f"row {number} is not as it was written", number, row=row)
        # Where the row was changed and not its link, the next row fits the link; else what that should be.
        self._before = (row.chain,) if gap or row.chain in links else (row.chain, *links)
        self._last, self._last_id = number, max(row.id, self._last_id)
        self._check_heads(number, row.chain, row.id)

    def _link(self, before: bytes, row: AuditRow) -> bytes:
        return self._keys.chain.link(before, self._writer, row.sequence, row.at, texts_of(row.event))

    def _check_heads(self, number: int, chain: bytes, row_id: int) -> None:
        for head in self._heads.get(number, ()):
            if head.chain != chain and not self._found_at(number):
                words = f"row {number} is another one than the signed head of it says"
                self._findings.append(
                    Finding(FindingKind.EDITED, words, self._writer, number, number, row_id, head.at)
                )

    def _found_at(self, number: int) -> bool:
        return any(one.first <= number <= max(one.first, one.last) for one in self._findings)

    def _read(self, line: str, kinds: set[HeadKind]) -> Head | None:
        try:
            head = self._keys.heads.read(line)
        except ForgedHead as forged:
            self._find(FindingKind.FORGED_HEAD, f"a head in the table of writers: {forged}")
            return None
        if head.kind not in kinds or head.writer != self._writer:
            if _OTHER_HEAD not in {one.words for one in self._findings}:
                self._find(FindingKind.FORGED_HEAD, _OTHER_HEAD)
            return None
        return head

    def _find(
        self, kind: FindingKind, words: str, first: int = 0, last: int = 0, row: AuditRow | None = None
    ) -> None:
        where = (row.id, row.at) if row else (0, 0.0)
        self._findings.append(Finding(kind, words, self._writer, first, last or first, *where))


def texts_of(event: AuditEvent) -> tuple[str, ...]:
    """An event's columns, in the order in which they are chained."""
    return (
        event.event,
        event.result.value,
        event.reason,
        event.reference,
        event.account_id,
        event.user,
        event.service,
        event.source,
        event.factor,
        event.credential_id,
        event.caller,
        event.facts,
    )


def _lines(writer: AuditWriter) -> list[tuple[str, set[HeadKind]]]:
    lines = [(writer.opened, {HeadKind.OPEN}), (writer.head, {HeadKind.HEAD, HeadKind.CLOSED})]
    return [(line, kinds) for line, kinds in lines if line]
