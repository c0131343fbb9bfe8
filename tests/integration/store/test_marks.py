"""Texts of the whole installation, on both databases: read, and changed in a decision, under their lock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Invalid, Refused
from nightlatch.model import AuditEvent, Changes, DecisionRequest, Result, Snapshot
from testbed.fixtures_store import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.store import SqlStore

REQUEST = DecisionRequest(mark="count")
EVENT = AuditEvent("count", Result.CHANGED, "", "")
AT_ONCE = 16


def counted(seen: Snapshot) -> tuple[Changes, int]:
    """One more."""
    number = int(seen.mark or "0") + 1
    return Changes(mark=str(number), events=(EVENT,)), number


async def test_a_mark_is_read_as_it_was_written(store: SqlStore) -> None:
    """Empty at first; seen inside and outside of decisions, and by nobody who did not ask for it."""
    assert await store.mark("count") == ""
    assert await store.decide(REQUEST, counted) == 1
    assert await store.mark("count") == "1"
    assert await store.mark("another") == ""
    assert await store.decide(REQUEST, lambda seen: (Changes(), seen.mark)) == "1"
    assert await store.decide(DecisionRequest(), lambda seen: (Changes(), seen.mark)) == ""
    with pytest.raises(Invalid):
        await store.decide(DecisionRequest(), lambda _: (Changes(mark="2"), None))
    assert await store.mark("count") == "1"


async def test_what_is_refused_writes_neither_the_mark_nor_the_audit(store: SqlStore) -> None:
    """All of a decision, or nothing."""

    def refused(_seen: Snapshot) -> tuple[Changes, None]:
        raise Refused("no")

    with pytest.raises(Refused):
        await store.decide(REQUEST, refused)
    assert (await store.mark("count"), await store.audit_rows(None, 9)) == ("", ())


async def test_many_at_once_are_counted_one_by_one(
    store_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """In one group, and by two stores on one database: nobody overwrites what another has written."""
    stores = [open_stores(store_url), open_stores(store_url)] if "postgres" in store_url else []
    stores = stores or [open_stores(store_url)]
    numbers = await asyncio.gather(
        *(stores[place % len(stores)].decide(REQUEST, counted) for place in range(AT_ONCE))
    )
    assert sorted(numbers) == list(range(1, AT_ONCE + 1))
    assert await stores[0].mark("count") == str(AT_ONCE)
    assert run(store_url, "select count(*) from audit where event = 'count'") == [(AT_ONCE,)]
