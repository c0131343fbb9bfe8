"""Numbers and links count when their commit is known to be durable, and not before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.audit.evidence import AuditKeys, NoWitness
from nightlatch.model import AuditEvent, Result
from nightlatch.store.chaining import SIGNED_EVERY_ROWS, SIGNED_EVERY_SECONDS, Chaining
from nightlatch.store.rows import audit_row
from nightlatch.store.sqlite import SqliteDatabase
from nightlatch.store.statements import Statements
from testbed.fixtures_store import KEY, START, SetClock, SystemRandomness

if TYPE_CHECKING:
    from pathlib import Path

ROW = audit_row(AuditEvent("e", Result.GRANTED, "", ""), START)


@pytest.fixture
def chaining(tmp_path: Path, store_clock: SetClock) -> Chaining:
    """A chain without rows."""
    statements = Statements(SqliteDatabase(tmp_path / "x").dialect)
    return Chaining(AuditKeys.of(KEY), statements, store_clock, SystemRandomness(), NoWitness())


def test_what_was_rolled_back_takes_no_number(chaining: Chaining) -> None:
    """The same row in the next transaction has the same number and the same link."""
    first = chaining.link([ROW], START)
    chaining.begin()
    assert chaining.link([ROW], START)[-1].values == first[-1].values


def test_a_transaction_without_rows_commits_none(chaining: Chaining) -> None:
    """What was linked in a transaction that failed does not count when the next one commits nothing."""
    failed = chaining.link([ROW], START)
    chaining.begin()
    chaining.committed()
    assert chaining.link([ROW], START)[-1].values == failed[-1].values


def test_committed_rows_are_built_upon(chaining: Chaining) -> None:
    """The next row has the next number, and the chain is opened once."""
    opening, first = chaining.link([ROW], START)
    assert "audit_writers" in opening.sql
    chaining.committed()
    chaining.begin()
    [second] = chaining.link([ROW], START)
    assert [second.values[-3], second.values[-2]] == [first.values[-3], 2]


def test_a_commit_that_nobody_knows_of_ends_the_chain(chaining: Chaining) -> None:
    """No number ever stands for two rows: a new writer begins, and is opened like the first."""
    chaining.link([ROW], START)
    chaining.committed()
    chaining.begin()
    [lost] = chaining.link([ROW], START)
    chaining.renew()
    chaining.begin()
    opening, after = chaining.link([ROW], START)
    assert "audit_writers" in opening.sql
    assert after.values[-2] == 1
    assert after.values[-3] != lost.values[-3]


def test_a_head_is_due_by_time_and_by_number(chaining: Chaining, store_clock: SetClock) -> None:
    """Nothing to sign is never due; the first row after a head is due in a minute, many rows at once."""
    assert chaining.due_in() is None
    chaining.link([ROW], START)
    chaining.committed()
    due = chaining.due_in()
    assert due is not None
    assert SIGNED_EVERY_SECONDS - 5 < due <= SIGNED_EVERY_SECONDS
    store_clock.ahead += SIGNED_EVERY_SECONDS
    assert chaining.due_in() == 0
    store_clock.ahead = 0
    chaining.begin()
    chaining.link([ROW] * SIGNED_EVERY_ROWS, START)
    chaining.committed()
    assert chaining.due_in() == 0
