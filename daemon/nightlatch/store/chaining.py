"""Chains the audit rows that one writer writes, and signs how far it has come.

MUST 1: a row's number and link count only when its commit is known to be durable.
MUST 2: where nobody knows whether a group was written, a new chain begins: no number stands for two rows.
MUST 3: what was signed was committed before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.audit.heads import Head, HeadKind
from nightlatch.store.database import Query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nightlatch.audit.evidence import AuditKeys, Witness
    from nightlatch.ports import Clock, Randomness
    from nightlatch.store.database import Session
    from nightlatch.store.statements import Statements

SIGNED_EVERY_SECONDS = 60.0
"""How long the newest rows wait for a signed head; what is cut away before it is not found."""
SIGNED_EVERY_ROWS = 10_000
_TRY_AGAIN = 5.0
_FIRST_TEXT = 1


class Chaining:
    """One chain at a time. The writer's thread alone uses it."""

    def __init__(
        self, keys: AuditKeys, statements: Statements, clock: Clock, randomness: Randomness, witness: Witness
    ) -> None:
        self._keys = keys
        self._statements = statements
        self._clock = clock
        self._randomness = randomness
        self._witness = witness
        self._not_before = 0.0
        self.renew()

    def renew(self) -> None:
        """Begin a new chain; the one before ends where it was last known to be."""
        self._writer = self._randomness.bytes(8).hex()
        self._sequence = 0
        self._value = self._keys.chain.start(self._writer)
        self._pending: tuple[int, bytes] | None = None
        self._signed = 0
        self._unsigned_since: float | None = None

    def begin(self) -> None:
        """A transaction begins: what was linked for one before is forgotten."""
        self._pending = None

    def link(self, rows: Sequence[tuple[object, ...]], now: float) -> list[Query]:
        """The statements that write these rows, of `audit_row`, behind what is committed."""
        writer, sequence, value = self._writer, self._sequence, self._value
        link = self._keys.chain.link
        linked = []
        for row in rows:
            sequence += 1
            value = link(value, writer, sequence, row[0], row[_FIRST_TEXT:])  # type: ignore[arg-type]  # as audit_row makes them
            linked.append((*row, writer, sequence, value))
        self._pending = (sequence, value)
        queries = self._statements.put_audit.of(linked)
        if self._sequence == 0:
            queries.insert(0, self._opening(now))
        return queries

    def committed(self) -> None:
        """The transaction is durable."""
        if self._pending is not None:
            self._sequence, self._value = self._pending
            self._pending = None
            if self._unsigned_since is None:
                self._unsigned_since = self._clock.steady()

    def due_in(self) -> float | None:
        """Seconds until a head is to be signed; None while there is nothing to sign."""
        if self._unsigned_since is None:
            return None
        due = self._unsigned_since + SIGNED_EVERY_SECONDS
        if self._sequence - self._signed >= SIGNED_EVERY_ROWS:
            due = self._unsigned_since
        return max(0.0, max(due, self._not_before) - self._clock.steady())

    def put_off(self) -> None:
        """Nothing can be written now: try again in a while."""
        self._not_before = self._clock.steady() + _TRY_AGAIN

    def sign(self, session: Session, *, closing: bool = False) -> None:
        """Write a signed head of what is committed; raises DatabaseError."""
        if self._sequence == 0 or (self._unsigned_since is None and not closing):
            return
        self.put_off()
        kind = HeadKind.CLOSED if closing else HeadKind.HEAD
        head = Head(kind, self._writer, self._sequence, self._value, self._clock.now())
        line = self._keys.heads.sign(head)
        session.begin()
        session.write([Query(self._statements.put_head, (line, self._writer))])
        session.commit()
        self._signed, self._unsigned_since = self._sequence, None
        self._witness.take(head, line)

    def _opening(self, now: float) -> Query:
        head = Head(HeadKind.OPEN, self._writer, 0, self._value, now)
        values = (self._writer, now, self._keys.heads.sign(head))
        return Query(self._statements.open_chain, values)
