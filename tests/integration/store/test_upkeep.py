"""What the store does besides: it forgets, turns away what waited too long, and starts quickly."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable
from nightlatch.limits import MEMORY
from nightlatch.model import Account, Changes, DecisionRequest, LimitState, Snapshot
from nightlatch.store.view import SPENT_FOR
from testbed.fixtures_store import START, SetClock, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.store import SqlStore


def nothing(_: Snapshot) -> tuple[Changes, None]:
    """A body that changes nothing."""
    return Changes(), None


async def test_spent_keys_are_forgotten_when_they_have_expired(
    store: SqlStore, store_url: str, store_clock: SetClock
) -> None:
    """A spent key is remembered for its whole life and not much longer."""
    for name in ("old", "new"):
        await store.decide(DecisionRequest(spend_key=name), lambda _: (Changes(spend=True), None))
        store_clock.time += SPENT_FOR - 1
    store_clock.time = START + SPENT_FOR + 1
    store_clock.ahead += 6  # time to prune
    for _ in range(2):  # it is done after an answer; the second answer shows that it is done
        await store.decide(DecisionRequest(), nothing)
    assert run(store_url, "select key from spent") == [("new",)]


async def test_limits_that_remember_nothing_are_forgotten(
    store: SqlStore, store_url: str, store_clock: SetClock
) -> None:
    """After 30 days a limit without a lock or a row of failures goes; what still counts stays."""
    states = {
        "gone": LimitState(failures=(START,)),
        "disabled": LimitState(disabled=True),
        "row": LimitState(failures=(START,), in_a_row=3),
    }
    await store.decide(DecisionRequest(scopes=tuple(states)), lambda _: (Changes(limits=states), None))
    store_clock.time += MEMORY + 1
    store_clock.ahead += 601
    for _ in range(2):
        await store.decide(DecisionRequest(), nothing)
    assert run(store_url, "select scope from limits order by scope") == [("disabled",), ("row",)]


async def test_an_account_is_remembered_with_its_newest_name(store: SqlStore, store_url: str) -> None:
    """The directory's name for an account is kept beside its id, and follows a renaming."""
    for name in ("alice", "alice", "alice.cooper"):
        request = DecisionRequest(account=Account("corp", "4f0c", name))
        await store.decide(request, nothing)
    rows = run(store_url, "select account_id, directory, stable_id, name, first_seen_at from accounts")
    assert rows == [("corp:4f0c", "corp", "4f0c", "alice.cooper", START)]


async def test_a_decision_that_waited_too_long_is_not_begun(store: SqlStore, store_clock: SetClock) -> None:
    """STO-04: whoever waited longer than a caller listens is unavailable; nothing is checked or charged."""
    begun, release = threading.Event(), threading.Event()
    ran: list[str] = []

    def hold(_: Snapshot) -> tuple[Changes, None]:
        begun.set()
        release.wait(10)
        return Changes(), None

    def note(_: Snapshot) -> tuple[Changes, None]:
        ran.append("late")
        return Changes(), None

    first = asyncio.ensure_future(store.decide(DecisionRequest(), hold))
    await asyncio.to_thread(begun.wait, 10)
    late = asyncio.ensure_future(store.decide(DecisionRequest(), note))
    await asyncio.sleep(0)
    store_clock.ahead += 60
    release.set()
    outcomes = await asyncio.gather(first, late, return_exceptions=True)
    # The clock that jumps may let the first one be given up, too.
    assert outcomes[0] is None or isinstance(outcomes[0], Unavailable)
    assert isinstance(outcomes[1], Unavailable)
    assert ran == []


async def test_a_start_loads_no_more_than_it_needs(
    sqlite_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """A store that is up to date opens without SQLAlchemy, Alembic and the other database's driver."""
    await open_stores(sqlite_url).close()
    program = """
import os, sys, time
from nightlatch.keys import MasterKey
from nightlatch.store import open_store
class Clock:
    now = steady = staticmethod(time.monotonic)
class Randomness:
    bytes = staticmethod(os.urandom)
open_store(sys.argv[1], MasterKey(bytes.fromhex(sys.argv[2])), Clock(), Randomness())
print(*sorted({"sqlalchemy", "alembic", "psycopg"} & set(sys.modules)))
"""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program, sqlite_url, (b"k" * 32).hex()],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "\n"
