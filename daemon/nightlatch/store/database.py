"""What the store needs of a database, the same for SQLite and PostgreSQL.

The decision path speaks plain SQL through the drivers: SQLAlchemy Core costs 20 to 40 µs a statement, a
whole decision has 60 µs, and importing it takes longer than all else that the daemon does at start. The
statements are written once, in the SQL that both databases share (`statements`); SQLAlchemy Core describes
the schema (`schema`) and Alembic moves it (`migrate`), and both are loaded only when there is something to
move. A test holds the statements to the schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from nightlatch.errors import NightlatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

Row = tuple[Any, ...]


class Query(NamedTuple):
    """A statement in the database's own placeholders, and its values in order."""

    sql: str
    values: Sequence[object]


class AsStored(Query):
    """A query of what somebody may have damaged: texts of SQLite that are no UTF-8 come as their bytes."""


class Again(Enum):
    """Whether what failed may be tried once more."""

    YES = "yes"
    """Nothing was written, and it may go better: a conflict, a value refused, a connection found dead."""
    NO = "no"
    """Nothing was written, and it will not go better now: full, read-only, busy, gone."""
    UNKNOWN = "unknown"
    """Nobody knows whether it was written: the connection went away during the commit."""


class DatabaseError(NightlatchError):
    """A database could not do what it was asked. The message has no values in it."""

    def __init__(self, reason: str, again: Again) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where the two databases write the same thing differently."""

    mark: str
    """The placeholder."""
    among: str
    """The condition that a column is one of a list, with ``?`` for the list."""
    lock: str
    """What a select ends on to lock its rows until the commit; empty where the transaction locks all."""
    skip_locked: str
    """The same, passing over what others have locked."""
    list_of: Callable[[Sequence[str]], object]
    """Makes the value for `among`."""
    page: str
    """What gathers columns (``{}``) of many rows into one text of JSON: see `Statements.enrolled`."""
    pages: str
    """What these texts are grouped by, so that none is long."""
    placed: str
    """The condition that an audit row's writer and sequence are such as a daemon writes."""
    columns: str
    """Selects table, column and type of what the audit's tables have; no type where columns take anything."""

    def write(self, sql: str) -> str:
        """A statement of `statements` in this database's words."""
        sql = (
            sql.replace("AMONG", self.among)
            .replace("PLACED", self.placed)
            .replace(" LOCK", self.lock)
            .replace(" SKIP", self.skip_locked)
        )
        return sql.replace("?", self.mark)


class InUse(DatabaseError):
    """Somebody else has the database open."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, Again.NO)


class Session(Protocol):
    """One connection. One thread at a time uses it; `abort` alone may come from another.

    Every method raises DatabaseError; after one the session is closed, and a new one must be made.
    """

    def begin(self) -> None:
        """Begin a transaction that may write."""

    def read(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Run the queries in order; their rows, none for a statement that has none."""

    def write(self, queries: Sequence[Query]) -> None:
        """Run the statements in order."""

    def commit(self, queries: Sequence[Query] = ()) -> None:
        """Run the statements, and make all durable. The error says UNKNOWN when the outcome is not known."""

    def close(self) -> None:
        """Let go of the connection; what was not committed is undone. Never raises."""

    def abort(self) -> None:
        """Break off what another thread waits for in this session, where the driver can."""


class Database(Protocol):
    """A place where nightlatch keeps things."""

    @property
    def name(self) -> str:
        """What it is and where, without secrets."""

    @property
    def dialect(self) -> Dialect:
        """How it writes SQL."""

    def prepare(self) -> None:
        """Make what must be there before the first connection; raises ConfigError."""

    def missing(self) -> bool:
        """Whether there is nothing at all yet, not even an empty database."""

    def connect(self) -> Session:
        """A new session; raises DatabaseError."""

    def connect_alone(self) -> Session:
        """A session that nobody else has one beside; raises InUse, DatabaseError."""

    def tables(self, session: Session) -> frozenset[str]:
        """The tables that are there."""

    def opening(self) -> AbstractContextManager[None]:
        """Held while the schema is looked at and moved, by one process at a time."""

    def migrate(self) -> None:
        """Bring the schema to the newest revision."""
