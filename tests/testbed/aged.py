"""A store as an older version of nightlatch left it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine

import nightlatch.store
from testbed.fixtures_store import run


def aged(url: str, revision: str) -> None:
    """Make the store at `url`, which nobody has open, one of an older revision, as far as that had room."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    now = MetaData()
    now.reflect(engine)
    with engine.begin() as connection:
        rows = {
            name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for name, table in now.tables.items()
        }
    engine.dispose()
    empty(url)
    with engine.begin() as connection:
        configuration = Config()
        configuration.set_main_option(
            "script_location", str(Path(nightlatch.store.__file__).parent / "migrations")
        )
        configuration.set_main_option("path_separator", "os")
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)
        then = MetaData()
        then.reflect(connection)
        for name, table in then.tables.items():
            known = [{column.name: row[column.name] for column in table.columns} for row in rows[name]]
            if known and name != "alembic_version":
                connection.execute(table.insert(), known)
    engine.dispose()
    if url.startswith("postgresql:"):  # rows that bring their number do not count
        run(url, "select setval(pg_get_serial_sequence('audit', 'id'), max(id)) from audit")


def empty(url: str) -> None:
    """Take away all tables, as dropping and making the database does."""
    if url.startswith("sqlite:"):
        file = Path(url.removeprefix("sqlite:///"))
        for ending in ("", "-wal", "-shm"):
            file.with_name(f"{file.name}{ending}").unlink(missing_ok=True)
        file.touch(mode=0o600)
    else:
        run(url, "drop schema public cascade")
        run(url, "create schema public")
