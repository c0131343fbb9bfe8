"""Forgets audit rows that are older than the configuration keeps them, from the front of each chain.

MUST 1: what is forgotten is told by a signed head, so that what is left can still be verified.
MUST 2: only rows that are as they were written are forgotten: nobody hides one by making it look old.
MUST 3: the newest row stays, so that a number is never given out twice.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from nightlatch.audit.heads import ForgedHead, Head, HeadKind
from nightlatch.audit.walk import texts_of
from nightlatch.store.database import AsStored, Query
from nightlatch.store.rows import stored_audit_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nightlatch.audit.evidence import AuditKeys, Witness
    from nightlatch.model import AuditRow
    from nightlatch.ports import Clock
    from nightlatch.store.database import Session
    from nightlatch.store.statements import Statements

DAY = 86_400.0
_MOST = 500
_EVERY = 60.0


class _Changed(Exception):
    """A row, or the head in front of it, is not as it was written."""


class AuditPruner:
    """Forgets a few hundred rows at a time."""

    def __init__(
        self, keys: AuditKeys, statements: Statements, clock: Clock, witness: Witness, retention_days: int
    ) -> None:
        self._keys = keys
        self._statements = statements
        self._clock = clock
        self._witness = witness
        self._days = retention_days
        self._due_at = clock.steady()
        self._told = ""

    def run(self, session: Session) -> None:
        """Forget when it is time; raises DatabaseError."""
        if not self._days or self._clock.steady() < self._due_at:
            return
        self._due_at = self._clock.steady() + _EVERY
        session.begin()
        [rows] = session.read([AsStored(self._statements.oldest_audit, (_MOST + 1,))])
        before = self._clock.now() - self._days * DAY
        old = list(takewhile(lambda row: row.at < before, map(stored_audit_row, rows[:-1])))
        try:
            writes = self._writes(session, old) if old else []
        except _Changed as changed:
            writes = []
            self._tell(str(changed))
        if writes:
            session.write(writes)
        session.commit()
        if writes and len(old) == _MOST:
            self._due_at = self._clock.steady()  # there is more

    def _writes(self, session: Session, old: Sequence[AuditRow]) -> list[Query]:
        of, now = self._statements, self._clock.now()
        writers = sorted({row.writer for row in old if row.writer})
        heads = {}
        if writers:
            [pruned] = session.read([AsStored(*of.among(of.pruned_heads, writers))])
            heads = {writer: line for writer, line in pruned if line}
        reached = {writer: self._pruned(writer, heads.get(writer, "")) for writer in writers}
        for row in old:
            if row.writer:
                reached[row.writer] = self._next(reached[row.writer], row)
        lines = [
            (self._keys.heads.sign(Head(HeadKind.PRUNED, writer, *reached[writer], now)), writer)
            for writer in writers
        ]
        return [*(Query(of.put_pruned, line) for line in lines), Query(of.prune_audit, (old[-1].id,))]

    def _pruned(self, writer: str, line: str) -> tuple[int, bytes]:
        """The place up to which a chain was forgotten before."""
        if not line:
            return 0, self._keys.chain.start(writer)
        try:
            head = self._keys.heads.read(line)
        except ForgedHead as forged:
            raise _Changed(f"the head up to which {writer} was forgotten: {forged}") from None
        if head.kind is not HeadKind.PRUNED or head.writer != writer:
            raise _Changed(f"the head up to which {writer} was forgotten is another one")
        return head.sequence, head.chain

    def _next(self, reached: tuple[int, bytes], row: AuditRow) -> tuple[int, bytes]:
        expected = self._keys.chain.link(reached[1], row.writer, row.sequence, row.at, texts_of(row.event))
        if row.sequence != reached[0] + 1 or row.chain != expected:
            raise _Changed(f"row {row.id} is not as it was written, or one before it is missing")
        return row.sequence, expected

    def _tell(self, reason: str) -> None:
        if reason != self._told:
            self._told = reason
            self._witness.retention_stopped(reason)
