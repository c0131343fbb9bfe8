"""Moves a database to the newest revision, with Alembic. Loaded only when there is something to move."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from nightlatch.errors import ConfigError
from nightlatch.store.database import Again, DatabaseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

_DUPLICATES = {"42P07", "42701"}
"""PostgreSQL: a table, or a column, is there already."""
_IN_THE_WAY = (
    "a table or column that it makes is there already. "
    "Put a dump of an older version into an empty database, not over the tables of a newer one"
)


def upgrade(dialect_url: str, connect: Callable[[], Any]) -> None:
    """Bring the schema to the newest revision, in one transaction: all of it or nothing.

    Raises ConfigError when the database was made by a newer nightlatch, DatabaseError when it fails.
    """
    engine = create_engine(dialect_url, creator=connect, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "begin", _begin_immediate)
    configuration = _configuration()
    try:
        with engine.begin() as connection:
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
    except CommandError as error:
        raise ConfigError(
            ("store: the database was made by a newer nightlatch. Install that one, or restore a backup.",)
        ) from error
    except SQLAlchemyError as error:
        reason = _IN_THE_WAY if _is_there_already(error) else type(error).__name__
        raise DatabaseError(f"the schema could not be moved: {reason}", Again.NO) from error
    finally:
        engine.dispose()


def newest_revision() -> str:
    """The revision that the migrations end on."""
    return ScriptDirectory.from_config(_configuration()).get_current_head() or ""


def _is_there_already(error: SQLAlchemyError) -> bool:
    cause = getattr(error, "orig", None)
    if isinstance(cause, sqlite3.OperationalError):
        return any(words in str(cause) for words in ("already exists", "duplicate column"))
    return getattr(cause, "sqlstate", None) in _DUPLICATES


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    configuration.set_main_option("path_separator", "os")
    return configuration


def _begin_immediate(connection: Connection) -> None:
    # The driver begins no transaction by itself (isolation_level=None); DDL is part of this one.
    connection.exec_driver_sql("begin immediate")
