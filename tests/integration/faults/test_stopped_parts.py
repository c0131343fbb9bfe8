"""Helper, directory or database stands still: whoever needs it reads of an outage, others go on."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from nightlatch.v1 import login_pb2
from testbed.daemon import Nightlatchd
from testbed.front_door import Person, directory_table, enroll
from testbed.process import freeze, wait_until
from testbed.two_directories import CORP, LOCAL, TwoDirectories, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.postgres import Postgres
    from testbed.slapd import Slapd

AT_ONCE = 4
"""One less than the passwords of one account that are checked at once."""
SLACK = 5.0
"""On a machine that does other things."""
HELPER_SECONDS = 5.0
"""What a local password may take to be checked, by default."""
STORE_SECONDS = 10.0
"""What a caller waits for the store."""


def no_second_step(step: login_pb2.Step) -> bool:
    """Whether the password was right, of somebody who has no second step."""
    return "none is set up yet" in step.outcome.message


def failures(both: TwoDirectories) -> list[str]:
    """Every limiter's state with a failure in it."""
    with sqlite3.connect(both.daemon.folder / "state" / "nightlatch.db") as database:
        rows = database.execute("select state from limits").fetchall()
    return [state for (state,) in rows if '"failures":[' in state]


@pytest.mark.parametrize(
    ("hung", "well", "seconds"),
    [
        (("bob", LOCAL["bob"]), ("dave", CORP["dave"]), HELPER_SECONDS),
        (("dave", CORP["dave"]), ("bob", LOCAL["bob"]), 2.5),
    ],
    ids=["pamcheck", "slapd"],
)
def test_a_part_that_stands_still_holds_up_only_those_who_need_it(
    both: TwoDirectories, hung: tuple[str, str], well: tuple[str, str], seconds: float
) -> None:
    """FLT-01: who runs into it is unavailable in its time, and not charged; meanwhile others answer."""
    before = failures(both)
    stopped = both.helper.pid if hung[0] == "bob" else both.slapd.pid
    with both.daemon.channel() as channel, ThreadPoolExecutor(AT_ONCE) as pool:
        freeze(stopped)
        try:
            began = time.monotonic()
            waiting = [pool.submit(Visitor(channel, *hung).come) for _ in range(AT_ONCE)]
            assert no_second_step(Visitor(channel, *well).come())
            assert not all(one.done() for one in waiting)
            steps = [one.result() for one in waiting]
            assert time.monotonic() - began < seconds + SLACK
        finally:
            os.kill(stopped, signal.SIGCONT)
        assert {step.outcome.verdict for step in steps} == {login_pb2.VERDICT_UNAVAILABLE}
        assert failures(both) == before
        wait_until(lambda: no_second_step(Visitor(channel, *hung).come()), "the part to work again")
        Visitor(channel, hung[0], "wrong").come()
        assert failures(both) != before


@pytest.fixture
def on_postgres(
    door_folder: Path, house_slapd: Slapd, postgres: Postgres, postgres_url: str
) -> Iterator[Nightlatchd]:
    """A daemon whose store is a PostgreSQL."""
    key = door_folder / "store.key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    url = postgres.tcp_url(urlsplit(postgres_url).path.removeprefix("/"))
    store = f'[store]\nurl = "{url}"\nkey_file = "{key}"\n'
    daemon = Nightlatchd(door_folder / "d", directory_table(house_slapd), extra=store)
    daemon.start()
    yield daemon
    daemon.stop()


def test_backends_of_postgresql_that_stand_still_are_left(
    on_postgres: Nightlatchd, postgres: Postgres, postgres_url: str
) -> None:
    """FLT-01: an answer waits no longer than the store's time, and is no grant; new connections serve."""
    with on_postgres.channel(admin=True) as admin:
        app = enroll(admin, "carol")
    with on_postgres.channel() as channel, ThreadPoolExecutor(AT_ONCE) as pool:
        carol = Person(channel, "carol")
        *asked, last = [carol.password() for _ in range(3)]
        stopped = postgres.backends(postgres_url)
        assert len(stopped) >= 2
        for pid in stopped:
            freeze(pid)
        try:
            began = time.monotonic()
            waiting = [pool.submit(carol.answer, step, "000000") for step in asked]
            assert carol.begin().WhichOneof("kind") == "prompt"
            assert not any(one.done() for one in waiting)
            steps = [one.result() for one in waiting]
            assert time.monotonic() - began < STORE_SECONDS + SLACK
            # Left early enough, a decision is taken on a new connection yet: then the wrong code is one.
            denied = {login_pb2.VERDICT_UNAVAILABLE, login_pb2.VERDICT_REFUSED}
            asks_again = [step.WhichOneof("kind") == "prompt" for step in steps]
            assert all(
                again or step.outcome.verdict in denied for again, step in zip(asks_again, steps, strict=True)
            )
            # The stopped ones are stopped still.
            assert carol.answer(last, app.fresh()).outcome.verdict == login_pb2.VERDICT_GRANTED
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
