"""What happens when the database, or a factor, does not do its part; and that it passes by itself."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from nightlatch.errors import Unavailable
from nightlatch.model import AuditEvent, Changes, Credential, DecisionRequest, Result, Snapshot
from nightlatch.store.sql_store import LONGEST_ANSWER
from testbed.fixtures_store import START, run
from testbed.process import freeze

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nightlatch.store import SqlStore
    from testbed.fixtures_store import SetClock
    from testbed.postgres import Postgres

ALICE = "corp:4f0c"
EVENT = AuditEvent("login.factor", Result.GRANTED, "right code", "1-2", ALICE)


def grant(_: Snapshot) -> tuple[Changes, bool]:
    """A body that grants, and writes an audit row about it."""
    return Changes(events=(EVENT,)), True


def add(name: str, account: str = ALICE) -> Callable[[Snapshot], tuple[Changes, bool]]:
    """A body that adds a credential."""
    credential = Credential(account, name, "totp", "phone", name.encode() * 9, START)
    return lambda _: (Changes(put=(credential,)), True)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Holds hanging bodies until the test is over."""
    event = threading.Event()
    yield event
    event.set()


async def test_a_body_that_hangs_is_given_up_and_the_others_go_on(
    store: SqlStore, release: threading.Event
) -> None:
    """PLG-01: a hanging body is unavailable after its bound; those beside it are decided."""

    def hang(_: Snapshot) -> tuple[Changes, bool]:
        release.wait(30)
        return grant(_)

    request = DecisionRequest(account_id=ALICE)
    begun = time.monotonic()
    bodies = [grant, hang, grant, grant]
    outcomes = await asyncio.gather(*(store.decide(request, one) for one in bodies), return_exceptions=True)
    assert time.monotonic() - begun < 20
    assert outcomes[0:4:2] == [True, True]
    assert outcomes[3] is True
    assert isinstance(outcomes[1], Unavailable)
    with pytest.raises(Unavailable, match="hang"):
        await store.health()
    assert len(await store.audit_rows(None, 10)) == 3


async def try_grant(store: SqlStore) -> object:
    """The outcome of a decision that would grant."""
    [outcome] = await asyncio.gather(store.decide(DecisionRequest(), grant), return_exceptions=True)
    return outcome


async def test_swapped_ciphertexts_do_not_open(store: SqlStore, store_url: str) -> None:
    """A sealed state that was copied to another row is unavailable there, and only there."""
    bob = "corp:bob"
    await store.decide(DecisionRequest(account_id=ALICE), add("c1"))
    await store.decide(DecisionRequest(account_id=bob), add("c1", bob))
    run(store_url, "update credentials set state = (select state from credentials limit 1)")
    reads = await asyncio.gather(store.credentials(ALICE), store.credentials(bob), return_exceptions=True)
    decisions = await asyncio.gather(
        *(store.decide(DecisionRequest(account_id=account), grant) for account in (ALICE, bob)),
        return_exceptions=True,
    )
    assert [isinstance(outcome, Unavailable) for outcome in reads].count(True) == 1
    assert [isinstance(outcome, Unavailable) for outcome in decisions].count(True) == 1
    assert isinstance(reads[0], Unavailable) is isinstance(decisions[0], Unavailable)


async def test_a_full_disk_denies_and_passes(sqlite_url: str, open_stores: Callable[[str], SqlStore]) -> None:
    """OTP-08: what can not be written is unavailable, never granted; with room again it works by itself."""
    store = open_stores(sqlite_url)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        outcomes = await asyncio.gather(
            *(store.decide(DecisionRequest(), grant) for _ in range(8)), return_exceptions=True
        )
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
        with pytest.raises(Unavailable):
            await store.health()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert await store.health()
    assert await try_grant(store) is True
    assert [event.event for _, event in await store.audit_rows(None, 9)] == [
        "login.factor",
        "store.recovered",
    ]


async def test_a_database_that_went_away_is_not_made_anew(
    sqlite_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """Without its file the store is unavailable and makes no empty one; put back, it goes on."""
    store = open_stores(sqlite_url)
    path = sqlite_url.removeprefix("sqlite:///")
    await asyncio.to_thread(Path(path).rename, path + ".away")
    assert isinstance(await try_grant(store), Unavailable)
    await asyncio.to_thread(Path(path + ".away").rename, path)
    assert await try_grant(store) is True
    assert len(await store.audit_rows(None, 9)) == 1


async def test_another_database_in_its_place_is_refused(
    tmp_path: Path, open_stores: Callable[[str], SqlStore]
) -> None:
    """A file that somebody put in the database's place is not written to, though it is a store as well."""
    one, other = (f"sqlite:///{tmp_path / name / 'nightlatch.db'}" for name in ("one", "other"))
    store = open_stores(one)
    await open_stores(other).close()
    (tmp_path / "other" / "nightlatch.db").rename(tmp_path / "one" / "nightlatch.db")
    outcome = await try_grant(store)
    assert isinstance(outcome, Unavailable)
    assert "another" in outcome.reason


async def test_a_busy_database_is_waited_for_and_then_unavailable(
    sqlite_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """STO-04: somebody else's lock on SQLite is waited for; while it lasts nothing is granted."""
    store = open_stores(sqlite_url)
    holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("begin immediate")
    waiting = asyncio.ensure_future(try_grant(store))
    assert await asyncio.wait({waiting}, timeout=0.3) == (set(), {waiting})
    holder.execute("rollback")
    assert await waiting is True
    holder.execute("begin immediate")
    begun = time.monotonic()
    assert isinstance(await try_grant(store), Unavailable)
    assert time.monotonic() - begun < LONGEST_ANSWER + 10
    holder.close()
    assert await try_grant(store) is True


async def test_killed_connections_are_made_again(
    postgres: Postgres, postgres_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """STO-04: connections that the server ends amid the work cost nobody a decision that was told."""
    store = open_stores(postgres_url)
    told = 0
    for _ in range(10):
        work = [asyncio.ensure_future(try_grant(store)) for _ in range(50)]
        await asyncio.sleep(0.001)
        await asyncio.to_thread(postgres.cut_off, postgres_url)
        told += (await asyncio.gather(*work)).count(True)
    assert await try_grant(store) is True
    written = len(await store.audit_rows(None, 1000))
    assert told + 1 <= written <= 501
    assert told > 0


async def test_a_deadlock_is_tried_again(
    postgres_url: str, open_stores: Callable[[str], SqlStore], store_clock: SetClock
) -> None:
    """STO-04: a transaction that PostgreSQL sacrifices to end a deadlock runs once more, and is told once."""
    store = open_stores(postgres_url)
    request = DecisionRequest(scopes=("a", "b"))
    runs: list[float] = []

    def count(snapshot: Snapshot) -> tuple[Changes, bool]:
        runs.append(snapshot.now)
        return Changes({"a": replace(snapshot.limits["a"], in_a_row=len(runs))}, events=(EVENT,)), True

    assert await store.decide(request, count)
    lock = "select 1 from limits where scope = %s for update"
    async with await psycopg.AsyncConnection.connect(postgres_url) as other:
        await other.execute(lock, ("b",))
        deciding = asyncio.ensure_future(store.decide(request, count))
        assert await asyncio.wait({deciding}, timeout=0.3) == (set(), {deciding})
        await other.execute(lock, ("a",))  # the store was there first: it is the one that finds the deadlock
    assert await deciding
    assert runs == [store_clock.now()] * 2
    assert len(await store.audit_rows(None, 9)) == 2


async def test_a_postgresql_that_is_away_denies_and_passes(
    postgres: Postgres, postgres_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """A database that takes no connections is unavailable, also to reads and health; later it is back."""
    store = open_stores(postgres_url)
    postgres.alter(postgres_url, "allow_connections false")
    postgres.cut_off(postgres_url)
    assert isinstance(await try_grant(store), Unavailable)
    with pytest.raises(Unavailable):
        await store.credentials(ALICE)
    with pytest.raises(Unavailable):
        await store.health()
    postgres.alter(postgres_url, "allow_connections true")
    assert await try_grant(store) is True
    assert await store.health()


async def test_a_postgresql_that_hangs_is_broken_off(
    postgres: Postgres,
    postgres_url: str,
    open_stores: Callable[[str], SqlStore],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """FLT-01: a server process that stops answering costs its callers a time-out, not the store its life."""
    monkeypatch.setattr("nightlatch.store.sql_store.LONGEST_ANSWER", 0.5)
    monkeypatch.setattr("nightlatch.store.sql_store._STUCK", 0.1)
    store = open_stores(postgres_url)
    assert await try_grant(store) is True
    await store.credentials(ALICE)
    stopped = postgres.backends(postgres_url)
    assert len(stopped) == 2
    for pid in stopped:
        freeze(pid)
    try:
        outcomes = await asyncio.gather(
            try_grant(store), store.credentials(ALICE), try_grant(store), return_exceptions=True
        )
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
        monkeypatch.undo()
        assert await try_grant(store) is True
        assert await store.credentials(ALICE) == ()
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


async def test_a_read_only_server_denies(
    postgres: Postgres, postgres_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """STO-04: a server that became read-only (a failover) denies; when it takes writes again it works."""
    store = open_stores(postgres_url)
    postgres.alter(postgres_url, "set default_transaction_read_only = on")
    postgres.cut_off(postgres_url)
    assert isinstance(await try_grant(store), Unavailable)
    postgres.alter(postgres_url, "reset default_transaction_read_only")
    assert await try_grant(store) is True


async def test_a_closed_store_finishes_what_was_queued_and_takes_nothing_more(
    store_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """Closing answers all that waits; afterwards all is unavailable; closing again does nothing."""
    store = open_stores(store_url)
    work = [asyncio.ensure_future(store.decide(DecisionRequest(), grant)) for _ in range(300)]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*work) == [True] * 300
    assert isinstance(await try_grant(store), Unavailable)
    with pytest.raises(Unavailable, match="closed"):
        await store.credentials(ALICE)
    await store.close()
