"""The chain as daemons write it: side by side, across failures, signed, and forgotten in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nightlatch.audit.evidence import AuditKeys
from nightlatch.audit.verify import verify
from nightlatch.errors import Refused
from nightlatch.keys import MasterKey
from nightlatch.model import AuditEvent, Changes, DecisionRequest, Result, Snapshot
from nightlatch.store.audit_prune import DAY
from nightlatch.store.chaining import SIGNED_EVERY_SECONDS
from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.store import SqlStore
    from testbed.audit import Books

EVENT = AuditEvent("login.factor", Result.GRANTED, "", "7f3a", "corp:1", "alice")


async def test_two_daemons_chain_side_by_side(books: Books) -> None:
    """Each has its own chain; 200 decisions at once on both leave no finding, and each row its number."""
    stores = books.open(), books.open()
    await asyncio.gather(*(store.record(EVENT) for store in stores for _ in range(100)))
    told = await books.verified()
    assert (told.rows, told.writers, told.findings) == (200, 2, ())
    await books.close()
    assert (await books.verified()).findings == ()


async def test_what_fails_takes_no_number(books: Books) -> None:
    """Decisions that are refused between others leave no gap."""
    store = books.open()

    def refuse(_: Snapshot) -> tuple[Changes, None]:
        raise Refused("no")

    for _ in range(3):
        await store.record(EVENT)
        with pytest.raises(Refused):
            await store.decide(DecisionRequest(), refuse)
    assert (await books.verified()).findings == ()
    assert books.sql("select max(sequence), count(*) from audit") == [(3, 3)]


async def test_a_database_that_refuses_rows_breaks_no_chain(books: Books) -> None:
    """AUD-02: what can not be audited is not done; what comes after goes on in the same chain."""
    store = books.open()
    await store.record(EVENT)
    books.sql("alter table audit rename to away")
    with pytest.raises(Exception, match="store"):
        await store.record(EVENT)
    books.sql("alter table away rename to audit")
    await store.record(EVENT)
    assert books.sql("select count(*), count(distinct writer), max(sequence) from audit") == [(2, 1, 2)]
    assert (await books.verified()).findings == ()


async def test_a_head_is_signed_when_it_is_time(books: Books) -> None:
    """A minute after the first row, with no more decisions to come, the newest row has a signed head."""
    store = books.open()
    await store.record(EVENT)
    assert books.kept.lines == []
    books.clock.ahead += SIGNED_EVERY_SECONDS
    await store.record(EVENT)
    wait_until(lambda: len(books.kept.lines) > 0, "a signed head")
    assert '"kind": "head"' in books.kept.lines[0]


async def test_another_installation_s_key_finds_everything_wrong(books: Books) -> None:
    """Rows and heads are worth something only under the key that made them."""
    await books.write(books.open(), "one", "two")
    await books.close()
    other = AuditKeys.of(MasterKey(b"o" * 32))
    pieces = [piece async for piece in verify(books.open().audit, other, books.kept.lines)]
    kinds = [one.kind.value for piece in pieces for one in piece.findings]
    assert sorted(kinds) == ["edited", "edited", "forged_head", "forged_head", "forged_head"]


OLD = "select count(*) from audit where reason <> ''"


async def grown_old(books: Books) -> SqlStore:
    """Six old rows, of two writers, in a store that keeps ten days."""
    await books.write(books.open(), "one", "two", "three")
    await books.close()
    store = books.open(retention_days=10)
    await books.write(store, "four", "five", "six")
    return store


async def ten_days_go_by(books: Books, store: SqlStore, done: Callable[[], bool]) -> None:
    """What was written is old now; new rows come, and with them the time to forget, until all is done."""
    books.clock.time += 11 * DAY
    for _ in range(100):
        books.clock.ahead += 3600
        await store.record(EVENT)
        if done():
            return
    pytest.fail("nothing was forgotten")


async def test_what_is_forgotten_can_still_be_verified(books: Books) -> None:
    """Rows beyond the retention go from the front of each chain, and a signed head says so."""
    store = await grown_old(books)
    await ten_days_go_by(books, store, lambda: books.sql(OLD) == [(0,)])
    assert await books.findings() == []
    books.sql("update audit set reason = 'other' where sequence = (select min(sequence) from audit)")
    assert await books.findings() == [("edited", 4, 4)]


async def test_what_was_changed_is_not_forgotten(books: Books) -> None:
    """Who makes a row look old does not get rid of it: forgetting stops in front of it, and says so."""
    store = await grown_old(books)
    books.sql("update audit set reason = 'other' where reason = 'two'")
    await ten_days_go_by(books, store, lambda: bool(books.kept.stopped))
    assert books.sql(OLD) == [(6,)]
    assert await books.findings() == [("edited", 2, 2)]


async def test_rows_that_come_back_after_they_were_forgotten_are_found(books: Books) -> None:
    """A restored part of an old copy is no part of the audit."""
    store = await grown_old(books)
    books.sql("create table copied as select * from audit where reason = 'two'")
    await ten_days_go_by(books, store, lambda: books.sql(OLD) == [(0,)])
    books.sql("insert into audit select * from copied")
    assert await books.findings() == [("added", 2, 2)]


async def test_rows_from_before_the_chain_are_told(books: Books) -> None:
    """What an older nightlatch wrote stays, and is counted apart."""
    await books.write(books.open(), "one", "two")
    await books.close()
    books.sql("update audit set writer = '', sequence = 0, chain = null")
    books.sql("delete from audit_writers")
    books.kept.lines.clear()
    await books.write(books.open(), "three")
    told = await books.verified()
    assert (told.rows, told.before_the_chain, told.findings) == (3, 2, ())
