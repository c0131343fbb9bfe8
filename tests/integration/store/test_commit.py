"""What goes to PostgreSQL together with the commit: all of it counts, or none."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from nightlatch.store.database import Again, DatabaseError, Query
from nightlatch.store.postgresql import PostgresDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightlatch.store.database import Session

ONE = Query("insert into numbers values (1)", ())
TWO = Query("insert into numbers values (2)", ())
ENDED = Query("select pg_terminate_backend(pg_backend_pid())", ())


@pytest.fixture
def session(postgres_url: str) -> Iterator[Session]:
    """A session with an empty table of numbers, each once."""
    made = PostgresDatabase(postgres_url).connect()
    made.write([Query("create table numbers (number int primary key)", ())])
    yield made
    made.close()


def numbers(url: str) -> list[int]:
    """What another session sees."""
    with contextlib.closing(PostgresDatabase(url).connect()) as other:
        return [row[0] for row in other.read([Query("select number from numbers order by 1", ())])[0]]


def test_all_of_it_is_there(session: Session, postgres_url: str) -> None:
    """What was committed is seen by others."""
    session.begin()
    session.commit([ONE, TWO])
    assert numbers(postgres_url) == [1, 2]


@pytest.mark.parametrize("queries", [[ONE, ONE, TWO], [ONE, TWO, TWO]])
def test_after_a_refusal_nothing_is_committed(
    session: Session, postgres_url: str, queries: list[Query]
) -> None:
    """The commit behind a refused statement is not done, and the group may be tried again."""
    session.begin()
    with pytest.raises(DatabaseError) as raised:
        session.commit(queries)
    assert raised.value.again is Again.YES
    session.close()
    assert numbers(postgres_url) == []


def test_a_server_that_ends_in_it_leaves_the_outcome_unknown(session: Session, postgres_url: str) -> None:
    """Nobody knows what became of the commit, so nothing is tried again (FLT-01)."""
    session.begin()
    with pytest.raises(DatabaseError) as raised:
        session.commit([ONE, ENDED])
    assert raised.value.again is Again.UNKNOWN
    assert numbers(postgres_url) == []
