"""Stores for tests, on both databases: each test gets a fresh one."""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
import pytest

from nightlatch.keys import KEY_BYTES, MasterKey
from nightlatch.store import SqlStore, open_store
from testbed.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

KEY = MasterKey(b"k" * KEY_BYTES)
"""The key of every store in the tests."""
START = 1_800_000_000.0
"""When a test's wall clock stands, unless it says otherwise."""


@dataclass
class SetClock:
    """A wall clock that stands where the test put it; the steady clock is the real one, for time-outs."""

    time: float = START
    ahead: float = field(default=0.0)

    def now(self) -> float:
        """Where the test put it."""
        return self.time

    def steady(self) -> float:
        """The real steady clock, moved by what the test added."""
        return time.monotonic() + self.ahead

    async def sleep(self, seconds: float) -> None:
        """Move the wall clock on."""
        self.time += seconds


class SystemRandomness:
    """The system's randomness."""

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""
        return os.urandom(count)


def run(url: str, sql: str) -> list[tuple[object, ...]]:
    """Run a statement on the database behind a store's back; its rows."""
    if url.startswith("sqlite:"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
            rows = file.execute(sql).fetchall()
        file.close()
        return rows
    with psycopg.connect(url) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def store_clock() -> SetClock:
    """The clock of the test's stores."""
    return SetClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One private PostgreSQL for the whole session."""
    server = Postgres()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database on PostgreSQL."""
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'state' / 'nightlatch.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store; the test runs on both databases."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
async def open_stores(store_clock: SetClock) -> AsyncIterator[Callable[[str], SqlStore]]:
    """Opens stores, and closes them after the test."""
    stores: list[SqlStore] = []

    def open_one(url: str) -> SqlStore:
        stores.append(open_store(url, KEY, store_clock, SystemRandomness()))
        return stores[-1]

    yield open_one
    for store in stores:
        await store.close()


@pytest.fixture
async def store(store_url: str, open_stores: Callable[[str], SqlStore]) -> SqlStore:
    """An open, empty store; the test runs on both databases."""
    return open_stores(store_url)
