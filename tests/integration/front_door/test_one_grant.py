"""One valid code and many who try it at once: one grant, on every store and over two daemons."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from nightlatch.keys import KEY_BYTES
from nightlatch.v1 import login_pb2
from testbed.daemon import Nightlatchd
from testbed.front_door import Person, directory_table, enroll

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.postgres import Postgres
    from testbed.slapd import Slapd

ATTEMPTS = 64


def store_table(postgres: Postgres, database: str, folder: Path) -> str:
    """The configuration's table for a database on PostgreSQL, with a key that daemons share."""
    key = folder / "shared.key"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_bytes(b"\x07" * KEY_BYTES)
    return f'[store]\nurl = "{postgres.url(database)}"\nkey_file = "{key}"\n'


@pytest.fixture(params=["sqlite", "postgresql", "two daemons on postgresql"])
def daemons(
    request: pytest.FixtureRequest, door_folder: Path, slapd: Slapd
) -> Iterator[tuple[Nightlatchd, Nightlatchd]]:
    """Two ways to one store: the same daemon twice, or two daemons."""
    extra = ""
    if request.param != "sqlite":
        postgres: Postgres = request.getfixturevalue("postgres")
        extra = store_table(postgres, postgres.create_database(), door_folder)
    names = ("one", "two") if request.param.startswith("two") else ("one",)
    running = [Nightlatchd(door_folder / name, directory_table(slapd), extra=extra) for name in names]
    for daemon in running:
        daemon.start()
    yield running[0], running[-1]
    for daemon in running:
        daemon.stop()


def test_64_parallel_logins_with_one_valid_code_are_one_grant(
    daemons: tuple[Nightlatchd, Nightlatchd],
) -> None:
    """A code is accepted once, whatever the concurrency and however many daemons share the store."""
    first, second = daemons
    with first.channel(admin=True) as admin:
        app = enroll(admin, "alice")
    with first.channel() as one, second.channel() as two:
        people = [Person((one, two)[number % 2]) for number in range(ATTEMPTS)]
        steps = [person.begin(login_pb2.PRIMARY_ESTABLISHED) for person in people]
        code = app.fresh()
        barrier = threading.Barrier(ATTEMPTS)

        def attempt(number: int) -> int:
            barrier.wait()
            step = people[number].answer(steps[number], code)
            return step.outcome.verdict

        with ThreadPoolExecutor(ATTEMPTS) as pool:
            verdicts = list(pool.map(attempt, range(ATTEMPTS)))
    assert verdicts.count(login_pb2.VERDICT_GRANTED) == 1
    assert login_pb2.VERDICT_UNAVAILABLE not in verdicts


def test_failures_are_counted_together_and_a_login_goes_on_elsewhere(
    daemons: tuple[Nightlatchd, Nightlatchd],
) -> None:
    """Two daemons on one store are one: counters, spent codes, and logins begun at the other."""
    first, second = daemons
    with first.channel(admin=True) as admin:
        app = enroll(admin, "alice")
    with first.channel() as one, second.channel() as two:
        step = Person(one).begin(login_pb2.PRIMARY_ESTABLISHED)
        code = app.fresh()
        assert Person(two).answer(step, code).outcome.verdict == login_pb2.VERDICT_GRANTED
        step = Person(two).begin(login_pb2.PRIMARY_ESTABLISHED)
        step = Person(one).answer(step, code)
        assert step.WhichOneof("kind") == "prompt"
        for person in (Person(two), Person(one), Person(two), Person(one)):
            person.answer(person.begin(login_pb2.PRIMARY_ESTABLISHED), app.wrong())
        step = Person(two).begin(login_pb2.PRIMARY_ESTABLISHED)
        outcome = Person(two).answer(step, app.wrong()).outcome
        assert outcome.verdict == login_pb2.VERDICT_LOCKED
        assert 0 < outcome.retry_after_seconds <= 30


def test_parallel_wrong_passwords_never_pass_the_limit(daemons: tuple[Nightlatchd, Nightlatchd]) -> None:
    """Charged before the directory is asked: of 20 parallel guesses at most 5 are checked."""
    first, second = daemons
    with first.channel() as one, second.channel() as two:
        people = [Person((one, two)[number % 2], "bob") for number in range(20)]
        steps = [person.begin() for person in people]
        with ThreadPoolExecutor(20) as pool:
            answers = list(
                pool.map(lambda pair: pair[0].answer(pair[1], "wrong"), zip(people, steps, strict=True))
            )
    verdicts = [step.outcome.verdict for step in answers]
    assert verdicts.count(login_pb2.VERDICT_REFUSED) == 5
    assert verdicts.count(login_pb2.VERDICT_LOCKED) == 15
