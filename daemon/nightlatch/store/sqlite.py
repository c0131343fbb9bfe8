"""SQLite: one host, no server, durable.

MUST 1: a commit that returned survives a power cut (WAL with synchronous=FULL).
MUST 2: the files are the daemon's alone: 0600, in a directory that nobody else may write, whatever the umask.
MUST 3: a database that went away is not made anew: that would forget every failure and every factor.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import json
import os
import sqlite3
import stat
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from nightlatch.errors import ConfigError
from nightlatch.store.database import Again, AsStored, DatabaseError, Dialect, InUse, Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from nightlatch.store.database import Row, Session

BUSY_SECONDS = 5.0
_BUSY_PAUSE = 0.001
_ALONE_SECONDS = 0.5
"""How long whoever wants the file alone waits for others to close it."""

_DIALECT = Dialect(
    mark="?",
    among="in (select value from json_each(?))",
    lock="",
    skip_locked="",
    list_of=json.dumps,
    page="json_group_array(json_array({}))",
    pages="rowid / 512",
    # As bytes, because length and glob end at a zero byte; by type, because a column takes anything.
    placed="(typeof(writer) = 'text' and length(cast(writer as blob)) = 16"
    f" and writer glob '{'[0-9a-f]' * 16}' and typeof(sequence) = 'integer' and sequence > 0)",
    columns="select lower(found.name), lower(of.name), '' from sqlite_master as found,"
    " pragma_table_info(found.name) as of"
    " where found.type = 'table' and lower(found.name) in ('audit', 'audit_writers')",
)
_PRAGMAS = (
    "pragma journal_mode = wal",
    "pragma synchronous = full",
    "pragma foreign_keys = on",
    "pragma trusted_schema = off",
    "pragma temp_store = memory",
    "pragma cache_size = -32768",
    "pragma wal_autocheckpoint = 4000",
)


class SqliteSession:
    """A connection to the file as it was when it was opened."""

    def __init__(self, path: Path, *, alone: bool = False) -> None:
        self._path = path
        self._waits_itself = False
        try:
            self._file = _identity(path)
            self._connection = open_connection(path, alone=alone)
        except OSError as error:
            raise DatabaseError(f"SQLite: {path}: {error.strerror}", Again.NO) from error
        except sqlite3.Error as error:
            raise _failure(error) from error

    def begin(self) -> None:
        """Begin a transaction that holds the write lock; the file must still be the one that was opened."""
        try:
            same = _identity(self._path) == self._file
        except OSError as error:
            raise DatabaseError(f"SQLite: {self._path}: {error.strerror}", Again.NO) from error
        if not same:
            raise DatabaseError(f"SQLite: {self._path} was replaced by another file", Again.YES)
        if not self._waits_itself:
            self._run("pragma busy_timeout = 0")  # what comes after `begin` waits for nobody
            self._waits_itself = True
        self._begin()

    def _begin(self) -> None:
        """Take the write lock, waiting for other processes.

        SQLite's own waiting sleeps up to 100 ms at a time: beside a busy process it would starve.
        """
        end = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._connection.execute("begin immediate")
            except sqlite3.Error as error:
                busy = (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() >= end:
                    raise _failure(error) from error
                time.sleep(_BUSY_PAUSE)
            else:
                return

    def read(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Run the queries in order; their rows."""
        try:
            return [self._rows(query) for query in queries]
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            raise _failure(error) from error

    def _rows(self, query: Query) -> list[Row]:
        if not isinstance(query, AsStored):
            return self._connection.execute(query.sql, query.values).fetchall()
        self._connection.text_factory = _as_stored
        try:
            return self._connection.execute(query.sql, query.values).fetchall()
        finally:
            self._connection.text_factory = str

    def write(self, queries: Sequence[Query]) -> None:
        """Run the statements in order."""
        try:
            for sql, values in queries:
                self._connection.execute(sql, values)
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            raise _failure(error) from error

    def commit(self, queries: Sequence[Query] = ()) -> None:
        """Run the statements in order, and make all durable."""
        self.write(queries)
        try:
            self._connection.execute("commit")
        except sqlite3.Error as error:
            failure = _failure(error)
            if not self._connection.in_transaction or (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_IOERR:
                failure = DatabaseError(failure.reason, Again.UNKNOWN)
            raise failure from error

    def close(self) -> None:
        """Let go of the file; what was not committed is undone."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def abort(self) -> None:
        """Break off a statement that runs in another thread."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.interrupt()

    def _run(self, sql: str) -> None:
        try:
            self._connection.execute(sql)
        except sqlite3.Error as error:
            raise _failure(error) from error


class SqliteDatabase:
    """A SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """What it is and where."""
        return f"SQLite {self._path}"

    @property
    def dialect(self) -> Dialect:
        """How it writes SQL."""
        return _DIALECT

    def missing(self) -> bool:
        """Whether there is no file, or an empty one."""
        try:
            return self._path.stat().st_size == 0
        except FileNotFoundError:
            return True
        except OSError as error:
            raise ConfigError((f"{self._path}: the database can not be seen: {error.strerror}.",)) from error

    def prepare(self) -> None:
        """Make directory (0700) and empty file (0600) where there are none; check those that are there."""
        directory = self._path.parent
        try:
            with contextlib.suppress(FileExistsError):
                directory.mkdir(mode=0o700)
                directory.chmod(0o700)
            _check(directory, 0o022, "go-w")
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                os.fchmod(descriptor, 0o600)
                os.close(descriptor)
            _check(self._path, 0o077, "go-rwx")
        except OSError as error:
            reason = (
                f"{self._path}: the database can not be made or opened: {error.strerror}. "
                "Its directory must exist or be makeable, and belong to the daemon's user."
            )
            raise ConfigError((reason,)) from error

    def connect(self) -> Session:
        """A new session on the file, which must be there."""
        return SqliteSession(self._path)

    def connect_alone(self) -> Session:
        """A session that holds the file's own lock, so that nobody else opens the database meanwhile."""
        try:
            return SqliteSession(self._path, alone=True)
        except DatabaseError as error:
            cause = error.__cause__
            if isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise InUse(f"{self._path} is open in another process") from None
            raise

    def tables(self, session: Session) -> frozenset[str]:
        """The tables that are there."""
        query = Query("select name from sqlite_master where type = 'table'", ())
        return frozenset(row[0] for row in session.read([query])[0])

    @contextlib.contextmanager
    def opening(self) -> Iterator[None]:
        """Hold the directory's lock: one process at a time opens the database."""
        descriptor = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def migrate(self) -> None:
        """Bring the schema to the newest revision."""
        importlib.import_module("nightlatch.store.migrate").upgrade(
            "sqlite://", lambda: open_connection(self._path)
        )


def open_connection(path: Path, *, alone: bool = False) -> sqlite3.Connection:
    """A connection to a file that exists, durable and in WAL mode. It begins no transaction by itself.

    `alone`: in SQLite's exclusive mode, which a file is only in while no other connection to it is open.
    """
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw",
        uri=True,
        timeout=_ALONE_SECONDS if alone else BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        if alone:  # before anything is read: the lock is taken with the first page
            connection.execute("pragma locking_mode = exclusive")
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        if alone:
            connection.execute("begin immediate")
            connection.execute("commit")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _as_stored(text: bytes) -> str | bytes:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text  # no other text: it could be the one that the audit's chain has


def _identity(path: Path) -> tuple[int, int]:
    status = os.stat(path)  # noqa: PTH116  # on the path of every group, and three times as quick
    return status.st_dev, status.st_ino


def _failure(error: Exception) -> DatabaseError:
    """What an error of SQLite means. Its texts carry no values."""
    if not isinstance(error, sqlite3.OperationalError | sqlite3.DatabaseError) or isinstance(
        error, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.ProgrammingError
    ):
        return DatabaseError(f"SQLite: {type(error).__name__}", Again.YES)
    # A busy file is among these: it was waited for already, as long as anybody should.
    return DatabaseError(f"SQLite: {error}", Again.NO)


def _check(path: Path, forbidden: int, fix: str) -> None:
    status = path.stat()
    problems = []
    if status.st_mode & forbidden:
        problems.append(
            f"{path}: others have rights on it (mode {stat.S_IMODE(status.st_mode):04o}). "
            f"Run: chmod {fix} {path}"
        )
    if status.st_uid not in {0, os.geteuid()}:
        problems.append(
            f"{path}: it belongs to uid {status.st_uid}; it must belong to the daemon's user or root."
        )
    if problems:
        raise ConfigError(tuple(problems))
