"""A daemon that dies while it brings its database up to date; the next start finds all of it, or nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.store.test_upgrade import PHONE, make_first_revision, open_again, revision
from nightlatch.store.opening import REVISION
from testbed.fixtures_store import run
from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]
NEVER = 10_000
"""A statement that no migration comes to."""


class Starter:
    """A process that starts daemons' stores, one after the other."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("dying_migration.py"), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT / "daemon")},
        )

    def begin(self, number: int, struck_by: signal.Signals = signal.SIGKILL) -> int:
        """Start one that is struck before that statement; its pid."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number} {struck_by.name}\n")
        self._process.stdin.flush()
        return int(self._line())

    def end(self) -> str:
        """How the last one went: "struck" or "finished"."""
        return self._line()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture
def starters(store_url: str) -> Iterator[Callable[[], Starter]]:
    """Makes starters on an older database; they are ended after the test."""
    make_first_revision(store_url)
    made: list[Starter] = []

    def make() -> Starter:
        made.append(Starter(store_url))
        return made[-1]

    yield make
    for one in made:
        one.close()


async def require_whole(url: str) -> None:
    """The database is up to date, and has what it had."""
    assert revision(url) == [(REVISION,)]
    store = open_again(url)
    assert await store.credentials(PHONE.account_id) == (PHONE,)
    assert len(run(url, "select 1 from audit where reason = 'kept'")) == 1
    await store.close()


async def test_a_migration_killed_at_any_statement_is_begun_anew(
    store_url: str, starters: Callable[[], Starter]
) -> None:
    """FLT-01: killed before each statement and the commit, the database stays as it was; then it moves."""
    starter, kills = starters(), 0
    starter.begin(1)
    while starter.end() == "struck":
        kills += 1
        assert revision(store_url) == [("0001",)]
        assert len(run(store_url, "select 1 from credentials")) == 1
        starter.begin(kills + 1)
    assert kills > 5
    await require_whole(store_url)


def waits(url: str, pid: int) -> bool:
    """Whether a process waits for the lock of those who open a database."""
    if url.startswith("sqlite:"):
        locks = Path("/proc/locks").read_text().splitlines()
        return any("->" in line and f" {pid} " in line for line in locks)
    query = "select 1 from pg_locks where locktype = 'advisory' and not granted"
    return bool(run(url, query))


async def test_a_second_start_waits_for_the_first_and_takes_over(
    store_url: str, starters: Callable[[], Starter]
) -> None:
    """FLT-01: two starts at once do not both migrate: one waits, and does it where the other has died."""
    first, second = starters(), starters()
    stopped = first.begin(5, signal.SIGSTOP)
    assert first.end() == "struck"
    waiting = second.begin(NEVER)
    wait_until(lambda: waits(store_url, waiting), "the second start to wait")
    os.kill(stopped, signal.SIGKILL)
    assert second.end() == "finished"
    await require_whole(store_url)
