"""Forgets what nobody needs any more: what has expired, and limits that remember nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.limits import MEMORY, forgettable
from nightlatch.store.database import DatabaseError, Query
from nightlatch.store.rows import limit_state

if TYPE_CHECKING:
    from nightlatch.ports import Clock
    from nightlatch.store.audit_prune import AuditPruner
    from nightlatch.store.database import Row, Session
    from nightlatch.store.statements import Statements

_EXPIRED_EVERY = 5.0
_SPENT_MOST = 10_000
_CREDENTIALS_MOST = 500
_LIMITS_EVERY = 600.0
_LIMITS_MOST = 1000


class Pruner:
    """Prunes a little at a time, between two groups; the writer's thread calls it after each one."""

    def __init__(self, statements: Statements, clock: Clock, audit: AuditPruner) -> None:
        self._audit = audit
        self._statements = statements
        self._clock = clock
        self._expired_at = clock.steady() + _EXPIRED_EVERY
        self._limits_at = clock.steady() + _LIMITS_EVERY
        self._after = ""

    def run(self, session: Session) -> bool:
        """Prune when it is time; False when the session failed."""
        steady = self._clock.steady()
        try:
            if steady >= self._expired_at:
                self._expired_at = steady + _EXPIRED_EVERY
                self._prune_expired(session)
            if steady >= self._limits_at:
                self._limits_at = steady + _LIMITS_EVERY
                self._prune_limits(session)
            self._audit.run(session)
        except DatabaseError:
            return False  # it is tried again later; a decision will meet the same trouble and report it
        return True

    def _prune_expired(self, session: Session) -> None:
        of, now = self._statements, self._clock.now()
        session.begin()
        session.write(
            [
                Query(of.prune_spent, (now, _SPENT_MOST)),
                Query(of.prune_credentials, (now, _CREDENTIALS_MOST)),
            ]
        )
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
