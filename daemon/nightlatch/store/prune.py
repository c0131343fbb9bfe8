"""Forgets what nobody needs any more: spent keys that have expired, limits that remember nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.limits import MEMORY, forgettable
from nightlatch.store.database import DatabaseError, Query
from nightlatch.store.rows import limit_state

if TYPE_CHECKING:
    from nightlatch.ports import Clock
    from nightlatch.store.database import Row, Session
    from nightlatch.store.statements import Statements

_SPENT_EVERY = 5.0
_SPENT_MOST = 10_000
_LIMITS_EVERY = 600.0
_LIMITS_MOST = 1000


class Pruner:
    """Prunes a little at a time, between two groups; the writer's thread calls it after each one."""

    def __init__(self, statements: Statements, clock: Clock) -> None:
        self._statements = statements
        self._clock = clock
        self._spent_at = clock.steady() + _SPENT_EVERY
        self._limits_at = clock.steady() + _LIMITS_EVERY
        self._after = ""

    def run(self, session: Session) -> bool:
        """Prune when it is time; False when the session failed."""
        steady = self._clock.steady()
        try:
            if steady >= self._spent_at:
                self._spent_at = steady + _SPENT_EVERY
                self._prune_spent(session)
            if steady >= self._limits_at:
                self._limits_at = steady + _LIMITS_EVERY
                self._prune_limits(session)
        except DatabaseError:
            return False  # it is tried again later; a decision will meet the same trouble and report it
        return True

    def _prune_spent(self, session: Session) -> None:
        session.begin()
        session.write([Query(self._statements.prune_spent, (self._clock.now(), _SPENT_MOST))])
        session.commit()

    def _prune_limits(self, session: Session) -> None:
        now = self._clock.now()
        session.begin()
        [rows] = session.read([Query(self._statements.old_limits, (now - MEMORY, self._after, _LIMITS_MOST))])
        scopes = [row[0] for row in rows if _forgettable(row, now)]
        if scopes:
            value = self._statements.dialect.list_of(scopes)
            session.write([Query(self._statements.prune_limits, (now - MEMORY, value))])
        session.commit()
        self._after = rows[-1][0] if len(rows) == _LIMITS_MOST else ""


def _forgettable(row: Row, now: float) -> bool:
    try:
        return forgettable(limit_state(row[1]), now)
    except ValueError:
        return False
