"""PostgreSQL 14 and newer: many daemons on one database behave as one.

MUST 1: a row that a decision looks at is locked before it is read, in the order of its key, limits first.
MUST 2: every wait has an end: for the network, for a lock, for an idle transaction of a daemon that hangs.
MUST 3: a commit whose answer did not come is UNKNOWN, never tried again.
MUST 4: a commit that returned is durable on the server, even where `synchronous_commit` is off by default.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from nightlatch.errors import ConfigError
from nightlatch.store.database import Again, DatabaseError, Dialect, InUse, Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nightlatch.store.database import Row, Session

_DIALECT = Dialect(
    mark="%s",
    among="= any(?)",
    lock=" for update",
    skip_locked=" for update skip locked",
    list_of=list,
    page="json_agg(json_build_array({}))::text",
    pages="left(md5(account_id), 2)",
    placed="(writer ~ '^[0-9a-f]{16}$' and sequence > 0)",
    # By the same search for names that all other statements go by; what is no table is none here either.
    columns="select named.name, attname::text, format_type(atttypid, null)"
    " from (values ('audit'), ('audit_writers')) as named (name)"
    " join pg_class on pg_class.oid = to_regclass(named.name) and relkind in ('r', 'p')"
    " join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped",
)
_DEFAULTS = {
    "application_name": "nightlatch",
    "connect_timeout": "3",
    "target_session_attrs": "read-write",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "5000",
}
# Every statement finds its rows by their key. Without the word on scans the server plans them while the
# tables are empty, and reads whole tables ever after.
_SESSION = """
select set_config('lock_timeout', '5s', false),
       set_config('statement_timeout', '8s', false),
       set_config('idle_in_transaction_session_timeout', '10s', false),
       set_config('enable_seqscan', 'off', false),
       set_config('synchronous_commit',
                  case current_setting('synchronous_commit') when 'off' then 'on'
                  else current_setting('synchronous_commit') end, false)
"""
_OTHERS = """
select coalesce(host(client_addr), 'this host') from pg_stat_activity
where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
  and application_name = current_setting('application_name')
"""
_COMMIT = Query("commit", ())
_OPENING_LOCK = 0x6E69676874  # "night": the advisory lock of a daemon that opens the database
_OLDEST = 140_000
_WORTH_ANOTHER_TRY = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.IntegrityError,
    psycopg.errors.DataError,
    psycopg.errors.ProgrammingError,
)


class PostgresSession:
    """A connection. Statements are sent together where they can be: a group costs two round trips."""

    def __init__(self, conninfo: dict[str, Any]) -> None:
        self._begins = False
        try:
            self._connection = psycopg.connect(**conninfo, autocommit=True)
            self._connection.execute(_SESSION)
            self._connection.prepared_max = 256  # all texts of `statements`
        except psycopg.Error as error:
            raise _unreachable(error) from error

    def begin(self) -> None:
        """The transaction begins together with its first statement."""
        self._begins = True

    def read(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Run the queries in one round trip; their rows."""
        try:
            return [cursor.fetchall() if cursor.description else [] for cursor in self._send(queries)]
        except (psycopg.Error, UnicodeError) as error:
            raise self._failure(error) from error

    def write(self, queries: Sequence[Query]) -> None:
        """Run the statements in one round trip."""
        try:
            self._send(queries)
        except (psycopg.Error, UnicodeError) as error:
            raise self._failure(error) from error

    def commit(self, queries: Sequence[Query] = ()) -> None:
        """Run the statements and make all durable, in one round trip: an error ends it before the commit."""
        if self._begins and not queries:
            self._begins = False  # there was nothing in it
            return
        try:
            status = self._send((*queries, _COMMIT))[-1].statusmessage
        except (psycopg.Error, UnicodeError) as error:
            failure = self._failure(error)
            if self._connection.closed or failure.again is Again.NO:
                # A server that ends may say so before its connection is seen to be closed.
                failure = DatabaseError(failure.reason, Again.UNKNOWN)
            raise failure from error
        if status != "COMMIT":
            raise DatabaseError(f"PostgreSQL answered {status} to a commit", Again.NO)

    def _send(self, queries: Sequence[Query]) -> list[psycopg.Cursor[Row]]:
        with self._connection.pipeline():
            if self._begins:
                self._begins = False
                self._connection.execute("begin isolation level read committed")
            return [self._connection.execute(sql, values) for sql, values in queries]

    def close(self) -> None:
        """Let go of the connection; what was not committed is undone."""
        with contextlib.suppress(psycopg.Error):
            self._connection.close()

    def abort(self) -> None:
        """Shut the socket under a statement that runs in another thread."""
        with contextlib.suppress(psycopg.Error, OSError):
            line = socket.socket(fileno=os.dup(self._connection.fileno()))
            with contextlib.closing(line):
                line.shutdown(socket.SHUT_RDWR)

    def _failure(self, error: Exception) -> DatabaseError:
        """What an error means; the server's texts may hold values, so the class and the code must do."""
        if not isinstance(error, psycopg.Error):
            return DatabaseError(f"PostgreSQL: {type(error).__name__}", Again.YES)
        code = f" ({error.sqlstate})" if error.sqlstate else ""
        again = self._connection.closed or isinstance(error, _WORTH_ANOTHER_TRY)
        return DatabaseError(f"PostgreSQL: {type(error).__name__}{code}", Again.YES if again else Again.NO)


class PostgresDatabase:
    """A database on a PostgreSQL server; `url` is a libpq URI."""

    def __init__(self, url: str) -> None:
        try:
            self._conninfo: dict[str, Any] = _DEFAULTS | conninfo_to_dict(url)
        except psycopg.Error:
            raise ConfigError(
                ("store: this is no PostgreSQL URL. Write: postgresql://USER@HOST:PORT/DATABASE",)
            ) from None

    @property
    def name(self) -> str:
        """What it is and where, without user and password."""
        where = self._conninfo.get("host") or self._conninfo.get("hostaddr") or "the local socket"
        return f"PostgreSQL {self._conninfo.get('dbname', '')} on {where}"

    @property
    def dialect(self) -> Dialect:
        """How it writes SQL."""
        return _DIALECT

    def missing(self) -> bool:
        """Never: the server has the database, or it can not be reached."""
        return False

    def prepare(self) -> None:
        """Check the server's version."""
        try:
            with psycopg.connect(**self._conninfo) as connection:
                version = connection.info.server_version
        except psycopg.Error:
            return  # the session that is opened next says why
        if version < _OLDEST:
            raise ConfigError(
                (f"store: PostgreSQL {version // 10_000} is too old. Use PostgreSQL 14 or newer.",)
            )

    def connect(self) -> Session:
        """A new session."""
        return PostgresSession(self._conninfo)

    def connect_alone(self) -> Session:
        """A session; those who come later are held up by `opening`."""
        session = self.connect()
        try:
            [rows] = session.read([Query(_OTHERS, ())])
        except DatabaseError:
            session.close()
            raise
        if rows:
            session.close()
            where = ", ".join(sorted({row[0] for row in rows}))
            raise InUse(f"{self.name} has connections of other daemons, from {where}")
        return session

    def tables(self, session: Session) -> frozenset[str]:
        """The tables that are there."""
        query = Query(
            "select tablename::text from pg_tables where schemaname = any(current_schemas(false))", ()
        )
        return frozenset(row[0] for row in session.read([query])[0])

    @contextlib.contextmanager
    def opening(self) -> Iterator[None]:
        """Hold the database's advisory lock: one daemon at a time opens it."""
        try:
            with psycopg.connect(**self._conninfo, autocommit=True) as connection:
                connection.execute("set application_name = 'nightlatch opening'")  # it uses nothing yet
                connection.execute("set lock_timeout = '60s'")
                connection.execute("select pg_advisory_lock(%s)", (_OPENING_LOCK,))
                yield
        except psycopg.Error as error:
            raise _unreachable(error) from error

    def migrate(self) -> None:
        """Bring the schema to the newest revision."""
        importlib.import_module("nightlatch.store.migrate").upgrade(
            "postgresql+psycopg://", self._connect_to_migrate
        )

    def _connect_to_migrate(self) -> psycopg.Connection:
        """Whoever alters a table waits for all that use it, and all others behind: so not for long."""
        connection = psycopg.connect(**self._conninfo)
        connection.execute("set lock_timeout = '5s'")
        connection.commit()
        return connection


def _unreachable(error: psycopg.Error) -> DatabaseError:
    # The text of a connection that failed names host, port and user, never the password.
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return DatabaseError(f"PostgreSQL: {lines[0]}", Again.NO)
