"""How a store comes to be: made from nothing, found again, and refused when something is not in order."""

from __future__ import annotations

import asyncio
import os
import stat
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from nightlatch.errors import ConfigError, Unavailable
from nightlatch.keys import KEY_BYTES, MasterKey
from nightlatch.model import Changes, DecisionRequest, LimitState
from nightlatch.store import open_store, store_is_empty
from nightlatch.store.migrate import newest_revision
from nightlatch.store.opening import REVISION, TABLES
from nightlatch.store.schema import tables
from testbed.fixtures_store import KEY, SetClock, SystemRandomness, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nightlatch.store import SqlStore

OTHER_KEY = MasterKey(b"o" * KEY_BYTES)


async def fill(store: SqlStore) -> None:
    """Write something that must not be lost."""
    await store.decide(
        DecisionRequest(scopes=("s",)), lambda _: (Changes({"s": LimitState(in_a_row=1)}), None)
    )


def open_again(url: str, key: MasterKey = KEY) -> SqlStore:
    """Open the store as the next start of the daemon would."""
    return open_store(url, key, SetClock(), SystemRandomness())


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A umask that takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


async def test_a_store_is_made_from_nothing_and_found_again(store_url: str) -> None:
    """The first start makes every table, the second finds what was written; health names no secret."""
    assert store_is_empty(store_url)
    store = open_again(store_url)
    await fill(store)
    assert "postgres@" not in await store.health()
    await store.close()
    assert not store_is_empty(store_url)
    again = open_again(store_url)
    seen = await again.decide(DecisionRequest(scopes=("s",)), lambda snapshot: (Changes(), snapshot))
    assert seen.limits == {"s": LimitState(in_a_row=1)}
    await again.close()


def test_looking_whether_a_store_is_empty_changes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    """Asking makes no file."""
    assert store_is_empty(sqlite_url)
    assert list(tmp_path.iterdir()) == []


async def test_a_wrong_key_stops_the_start_and_says_what_to_do(store_url: str) -> None:
    """STO-02: another key does not open the store; the message tells to restore the right one."""
    store = open_again(store_url)
    await store.close()
    before = run(store_url, "select * from meta")
    with pytest.raises(ConfigError, match="Restore the right key file"):
        open_again(store_url, OTHER_KEY)
    assert run(store_url, "select * from meta") == before


async def test_a_key_check_is_never_made_over_data(store_url: str) -> None:
    """STO-02: where the key check is gone but data is there, no key opens the store."""
    store = open_again(store_url)
    await fill(store)
    await store.close()
    run(store_url, "delete from meta")
    assert not store_is_empty(store_url)
    for key in (KEY, OTHER_KEY):
        with pytest.raises(ConfigError, match="no key check"):
            open_again(store_url, key)
    assert run(store_url, "select * from meta") == []


async def test_an_interrupted_first_start_is_finished_by_the_next_one(store_url: str) -> None:
    """Tables without any row, as a first start leaves them that died before its key check: it goes on."""
    await open_again(store_url).close()
    run(store_url, "delete from meta")
    assert store_is_empty(store_url)
    await open_again(store_url, OTHER_KEY).close()


async def test_a_newer_database_is_refused(store_url: str) -> None:
    """A database that a newer version has moved on is not opened, and not changed."""
    await open_again(store_url).close()
    run(store_url, "update alembic_version set version_num = '9999'")
    with pytest.raises(ConfigError, match="newer nightlatch"):
        open_again(store_url)
    assert run(store_url, "select version_num from alembic_version") == [("9999",)]


async def test_tables_of_somebody_else_are_left_alone(store_url: str, tmp_path: Path) -> None:
    """A database that has a table `accounts` which nightlatch did not make is refused."""
    if store_url.startswith("sqlite:"):
        (tmp_path / "state").mkdir(mode=0o700)
        (tmp_path / "state" / "nightlatch.db").touch(mode=0o600)
    run(store_url, "create table accounts (name text)")
    with pytest.raises(ConfigError, match="of its own"):
        open_again(store_url)


@pytest.mark.parametrize("table", ["audit", "limits", "meta"])
async def test_a_database_that_lacks_a_table_is_refused(store_url: str, table: str) -> None:
    """A half restored database, or one that somebody took a table from, starts no daemon."""
    store = open_again(store_url)
    await fill(store)
    await store.close()
    run(store_url, f"alter table {table} rename to away")
    with pytest.raises(ConfigError, match=rf"lacks tables that nightlatch made \({table}\).*whole backup"):
        open_again(store_url)
    run(store_url, f"alter table away rename to {table}")
    await open_again(store_url).close()


async def test_several_daemons_may_make_the_store_at_once(store_url: str) -> None:
    """Four first starts side by side: one makes the tables, the others find them."""
    stores = await asyncio.gather(*(asyncio.to_thread(open_again, store_url) for _ in range(4)))
    await asyncio.gather(*(fill(store) for store in stores))
    for store in stores:
        await store.close()
    assert len(run(store_url, "select * from meta")) == 1


async def test_the_migrations_make_what_the_schema_describes(store_url: str) -> None:
    """The tables that the migrations made differ in nothing from the described ones."""
    await open_again(store_url).close()
    engine = create_engine(store_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables()) == []
    engine.dispose()
    assert set(tables().tables) == TABLES
    assert newest_revision() == REVISION


@pytest.mark.usefixtures("open_umask")
async def test_files_are_the_daemons_alone_whatever_the_umask(
    sqlite_url: str, tmp_path: Path, open_stores: Callable[[str], SqlStore]
) -> None:
    """STO-05: with umask 0 the directory is 0700, the database and its companions are 0600."""
    await fill(open_stores(sqlite_url))
    state = tmp_path / "state"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (state, *state.iterdir())}
    assert modes == {
        "state": 0o700,
        "nightlatch.db": 0o600,
        "nightlatch.db-wal": 0o600,
        "nightlatch.db-shm": 0o600,
    }


@pytest.mark.parametrize(("what", "mode", "fix"), [("state", 0o770, "go-w"), ("file", 0o640, "go-rwx")])
async def test_what_others_may_touch_is_refused(
    sqlite_url: str, tmp_path: Path, what: str, mode: int, fix: str
) -> None:
    """STO-05: a directory that others may write, or a file that they may read, stops the start."""
    await open_again(sqlite_url).close()
    path = tmp_path / "state" if what == "state" else tmp_path / "state" / "nightlatch.db"
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"chmod {fix} {path}"):
        open_again(sqlite_url)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///relative.db",
        "sqlite:////x.db?mode=memory",
        "mysql://h/d",
        "nonsense",
        "postgresql://h:x/d?a=b",
    ],
)
def test_a_url_that_names_no_database_is_a_configuration_error(url: str) -> None:
    """What is no SQLite file and no PostgreSQL database is refused with the form to write."""
    with pytest.raises(ConfigError, match="store:"):
        open_again(url)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """PostgreSQL that can not be reached is an outage; its message shows no password."""
    with pytest.raises(Unavailable, match="PostgreSQL") as caught:
        open_again("postgresql://nightlatch:canary@127.0.0.1:9/nightlatch")
    assert "canary" not in str(caught.value)
