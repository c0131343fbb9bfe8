"""Opens the store: finds the database, brings its schema up to date, and checks that the key is its key.

MUST 1: a database that holds data is opened with the key that sealed it, or not at all (STO-02).
MUST 2: a key check is written once, over nothing: into a database without any rows.
MUST 3: the key is checked before the schema is touched.
"""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from nightlatch.audit.evidence import AuditKeys, NoWitness
from nightlatch.errors import ConfigError, Unavailable
from nightlatch.store.audit_prune import AuditPruner
from nightlatch.store.chaining import Chaining
from nightlatch.store.database import Again, DatabaseError, Query
from nightlatch.store.seal import CredentialSeal
from nightlatch.store.sql_store import SqlStore
from nightlatch.store.sqlite import SqliteDatabase
from nightlatch.store.statements import Statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightlatch.audit.evidence import Witness
    from nightlatch.keys import MasterKey
    from nightlatch.ports import Clock, Randomness
    from nightlatch.store.database import Database, Session
    from nightlatch.store.sql_store import StoreWatcher

REVISION = "0003"
"""The schema that this version works with."""
EPOCH = "epoch"
"""The row of `meta` that `restored` writes."""
TABLES = frozenset(
    {"meta", "accounts", "credentials", "standings", "limits", "spent", "audit", "audit_writers"}
)

_WRONG_KEY = (
    "store: the key is not the one that this database was sealed with ({}). "
    "Restore the right key file from your backup: nothing that is enrolled opens without it."
)
_NO_CHECK = (
    "store: the database holds data but no key check ({}): something removed it. "
    "Restore the database from your backup; the check is never made anew over data."
)
_FOREIGN = (
    "store: the database has tables of the same names that nightlatch did not make ({}). "
    "Give nightlatch a database, or a schema, of its own."
)
_NEWER = (
    "store: {} was made by a newer nightlatch: its tables have revision {}, this version knows {}. "
    "Install the newer version, or restore a backup that is no newer than this one."
)
_LACKING = (
    "store: {} lacks tables that nightlatch made ({}): somebody took them away, or a restore ended half way. "
    "Keep a copy of the database, then put a whole backup back."
)
_OTHER_REVISION = (
    "store: the database has revision {}, this version works with {} ({}). "
    "Install the newer nightlatch again, or restore a backup."
)


def open_store(
    url: str,
    key: MasterKey,
    clock: Clock,
    randomness: Randomness,
    watcher: StoreWatcher | None = None,
    *,
    witness: Witness | None = None,
    retention_days: int = 0,
) -> SqlStore:
    """Open the store at `url`; make or move its tables where needed. Blocks: call it before the loop runs.

    `sqlite:////path/to/file` or `postgresql://user@host/database`. Raises ConfigError for what an
    administrator must put right (a wrong key above all), Unavailable when the database can not be reached.
    `witness` takes the audit's signed heads; audit rows are forgotten after `retention_days`, 0 for never.
    """
    database = database_at(url)
    seal = CredentialSeal(key, randomness)
    with reported():
        database.prepare()
        with database.opening():
            session = database.connect()
            try:
                check = checked(database, session, seal)
            finally:
                session.close()

    def connect() -> Session:
        session = database.connect()
        try:
            same = _key_check(session) == check
        except DatabaseError:
            session.close()
            raise
        if not same:
            session.close()
            raise DatabaseError("the database is another one than before", Again.NO)
        return session

    statements, keys, witness = Statements(database.dialect), AuditKeys.of(key), witness or NoWitness()
    return SqlStore(
        database.name,
        connect,
        statements,
        seal,
        clock,
        chaining=Chaining(keys, statements, clock, randomness, witness),
        audit_pruner=AuditPruner(keys, statements, clock, witness, retention_days),
        watcher=watcher,
    )


def store_is_empty(url: str) -> bool:
    """Whether there is nothing at `url` that a key was ever used for: only then may a new key be made.

    Blocks. Changes nothing. Raises ConfigError and Unavailable as `open_store` does.
    """
    database = database_at(url)
    with reported():
        if database.missing():
            return True
        session = database.connect()
        try:
            tables = database.tables(session)
            return not tables & TABLES or ("meta" in tables and not _has_rows(session, tables))
        finally:
            session.close()


def store_epoch(url: str) -> str:
    """What changes when a backup is put back, and with it the keys that are made with it; empty before that.

    Blocks. Raises ConfigError and Unavailable as `open_store` does.
    """
    return store_mark(url, EPOCH)


def store_mark(url: str, name: str) -> str:
    """The text of `meta` of this name, a word of our own; empty for none. Blocks, and raises as above."""
    database = database_at(url)
    with reported(), contextlib.closing(database.connect()) as session:
        return _one(session, f"select value from meta where name = '{name}'")  # noqa: S608  # a word of our own


def checked(database: Database, session: Session, seal: CredentialSeal) -> str:
    """The database's key check, after all is in order: the tables are made, or moved to this version's.

    Raises ConfigError for another key, a newer version's tables, tables that are not nightlatch's, and
    where some are missing.
    """
    tables = database.tables(session)
    revision = revision_of(database, session)
    if not revision and tables & TABLES:
        raise ConfigError((_FOREIGN.format(database.name),))
    if revision > REVISION:  # before anything else is read: nobody knows what its tables are
        raise ConfigError((_NEWER.format(database.name, revision, REVISION),))
    lacking = sorted(TABLES - tables) if revision == REVISION else []
    if lacking:
        raise ConfigError((_LACKING.format(database.name, ", ".join(lacking)),))
    if revision:
        _check_key(database, session, seal, tables)
    if revision != REVISION:
        database.migrate()
        reached = _one(session, "select version_num from alembic_version")
        if reached != REVISION:
            raise ConfigError((_OTHER_REVISION.format(reached, REVISION, database.name),))
    check = _key_check(session)
    if not check:
        check = seal.key_check()
        session.begin()
        session.write([Query(f"insert into meta (name, value) values ('key_check', '{check}')", ())])  # noqa: S608  # hexadecimal digits of our own
        session.commit()
    return check


def revision_of(database: Database, session: Session) -> str:
    """The revision of the database's tables; empty where there are none that nightlatch made."""
    if "alembic_version" not in database.tables(session):
        return ""
    return _one(session, "select version_num from alembic_version")


def _check_key(database: Database, session: Session, seal: CredentialSeal, tables: frozenset[str]) -> None:
    check = _key_check(session)
    if check:
        if not seal.opens(check):
            raise ConfigError((_WRONG_KEY.format(database.name),))
    elif _has_rows(session, tables):
        raise ConfigError((_NO_CHECK.format(database.name),))


def _key_check(session: Session) -> str:
    return _one(session, "select value from meta where name = 'key_check'")


def _has_rows(session: Session, tables: frozenset[str]) -> bool:
    # Those that are there: an older database has fewer.
    ours = sorted(tables & TABLES)
    found = session.read([Query(f"select 1 from {table} limit 1", ()) for table in ours])  # noqa: S608  # names of our own
    return any(found)


def _one(session: Session, sql: str) -> str:
    [rows] = session.read([Query(sql, ())])
    return str(rows[0][0]) if rows else ""


def database_at(url: str) -> Database:
    """The database of a URL, not opened yet; raises ConfigError."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = Path(unquote(parts.path.removeprefix("/")))
        if parts.netloc or parts.query or not path.is_absolute():
            raise ConfigError(
                ("store: a SQLite URL names a file by its absolute path: sqlite:////path/to/file",)
            )
        return SqliteDatabase(path)
    if parts.scheme in {"postgresql", "postgres"}:
        # Loaded by name: its driver takes longer to import than a SQLite daemon takes to start.
        module = importlib.import_module("nightlatch.store.postgresql")
        return module.PostgresDatabase(url)  # type: ignore[no-any-return]  # the module is loaded by name
    raise ConfigError(("store: the URL must begin with sqlite:// or postgresql://",))


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Turn what a database can not do into Unavailable."""
    try:
        yield
    except DatabaseError as error:
        raise Unavailable("store", error.reason) from error
