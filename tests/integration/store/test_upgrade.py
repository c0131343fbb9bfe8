"""A database of an older nightlatch is brought up to date where it stands, with all that is in it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

import nightlatch.store
from nightlatch.errors import ConfigError, Unavailable
from nightlatch.keys import KEY_BYTES, MasterKey
from nightlatch.model import Changes, Credential, DecisionRequest, LimitState, Snapshot, Standing
from nightlatch.store import open_store, store_is_empty
from nightlatch.store.opening import REVISION
from nightlatch.store.seal import CredentialSeal
from testbed.fixtures_store import KEY, START, SetClock, SystemRandomness, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.store import SqlStore

PHONE = Credential("corp:4f0c", "c1", "totp", "phone", b"the state", START - 9, START - 1)
LIMIT = LimitState(failures=(START - 5,), in_a_row=1)
STANDING = Standing(grace_started_at=START, grace_logins=2)


def make_first_revision(url: str) -> None:
    """A database as the first revision left it: a credential, a limit, a spent key, an audit row."""
    if url.startswith("sqlite:"):
        file = Path(url.removeprefix("sqlite:///"))
        file.parent.mkdir(mode=0o700)
        file.touch(mode=0o600)
    configuration = Config()
    configuration.set_main_option(
        "script_location", str(Path(nightlatch.store.__file__).parent / "migrations")
    )
    configuration.set_main_option("path_separator", "os")
    seal = CredentialSeal(KEY, SystemRandomness())
    names = ("account", "id", "factor", "label", "state", "created", "used")
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "0001")
        connection.execute(
            text("insert into credentials values (:account, :id, :factor, :label, :state, :created, :used)"),
            dict(zip(names, seal.row(PHONE), strict=False)),
        )
        connection.execute(
            text("insert into limits values (:scope, :state, 0)"),
            {"scope": "s", "state": f'{{"failures":[{START - 5}],"in_a_row":1}}'},
        )
        connection.execute(text("insert into spent (key, expires_at) values ('key', 2e9)"))
        connection.execute(
            text("insert into audit values (1, 1, 'e', 'granted', 'kept', '', '', '', '', '', '', '', '')")
        )
        connection.execute(text("insert into meta values ('key_check', :check)"), {"check": seal.key_check()})
    engine.dispose()


def open_again(url: str, key: MasterKey = KEY) -> SqlStore:
    """Open the store as the next start of the daemon would."""
    return open_store(url, key, SetClock(), SystemRandomness())


def revision(url: str) -> list[tuple[object, ...]]:
    """What the database says that it is."""
    return run(url, "select version_num from alembic_version")


async def test_an_upgrade_keeps_what_was_there(
    store_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """Credentials open, limits and spent keys count, and what is new can be written beside them."""
    make_first_revision(store_url)
    assert not store_is_empty(store_url)
    store = open_stores(store_url)
    request = DecisionRequest(("s",), PHONE.account_id, spend_key="key", standing=True)

    def body(seen: Snapshot) -> tuple[Changes, Snapshot]:
        return Changes(standing=STANDING), seen

    assert await store.decide(request, body) == Snapshot(START, {"s": LIMIT}, (PHONE,), spent=True)
    assert await store.standing(PHONE.account_id) == STANDING
    assert [event.reason for _, event in await store.audit_rows(None, 9)] == ["kept"]
    assert revision(store_url) == [(REVISION,)]


async def test_an_upgrade_with_the_wrong_key_changes_nothing(store_url: str) -> None:
    """STO-02: the key is checked before the schema is moved."""
    make_first_revision(store_url)
    with pytest.raises(ConfigError, match="Restore the right key file"):
        open_again(store_url, MasterKey(b"o" * KEY_BYTES))
    assert revision(store_url) == [("0001",)]


async def test_several_daemons_may_upgrade_at_once(store_url: str) -> None:
    """Four starts side by side on one older database: one moves it, and all work."""
    make_first_revision(store_url)
    stores = await asyncio.gather(*(asyncio.to_thread(open_again, store_url) for _ in range(4)))
    for store in stores:
        assert await store.credentials(PHONE.account_id) == (PHONE,)
        await store.close()
    assert revision(store_url) == [(REVISION,)]


async def test_an_upgrade_that_fails_halfway_leaves_the_database_as_it_was(store_url: str) -> None:
    """All steps are one transaction: the table made before the step that fails is gone again."""
    make_first_revision(store_url)
    run(store_url, "alter table credentials add column expires_at double precision")
    with pytest.raises(Unavailable, match="schema could not be moved"):
        open_again(store_url)
    assert revision(store_url) == [("0001",)]
    with pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedTable)):
        run(store_url, "select * from standings")


async def test_an_upgrade_does_not_wait_for_ever_behind_somebody_else(postgres_url: str) -> None:
    """Where a dump holds the tables, the start is unavailable: behind its wait every login would queue."""
    make_first_revision(postgres_url)
    with psycopg.connect(postgres_url) as other:
        other.execute("select * from credentials")
        with pytest.raises(Unavailable, match="schema could not be moved"):
            await asyncio.to_thread(open_again, postgres_url)
    store = await asyncio.to_thread(open_again, postgres_url)
    assert await store.credentials(PHONE.account_id) == (PHONE,)
    await store.close()
