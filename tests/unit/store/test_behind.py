"""A store that is older than the heads beside it is noticed, whatever else stands in their file."""

from __future__ import annotations

import pytest

from nightlatch.audit.evidence import AuditKeys
from nightlatch.audit.heads import Head, HeadKind
from nightlatch.store.behind import epoch_of, is_behind, restored_at
from testbed.fixtures_store import KEY, START


class Answers:
    """A store with an epoch, the audit rows of one writer up to a number, and what was pruned of it."""

    def __init__(self, *, epoch: str = "", rows: int = 0, pruned: str = "") -> None:
        self.epoch, self.rows, self.pruned = epoch, rows, pruned

    def one(self, sql: str) -> str:
        """The first column of the first row."""
        if "from meta" in sql:
            return self.epoch
        assert "writer = 'ab'" in sql
        if "audit_writers" in sql:
            return self.pruned
        return "1" if self.rows >= int(sql.split("sequence >= ")[1].split(maxsplit=1)[0]) else ""


def line(sequence: int, at: float = START, kind: HeadKind = HeadKind.HEAD, writer: str = "ab") -> str:
    """A signed head, as it is kept."""
    return AuditKeys.of(KEY).heads.sign(Head(kind, writer, sequence, b"chain", at))


@pytest.mark.parametrize(
    ("store", "behind"),
    [
        (Answers(rows=7), False),
        (Answers(rows=6), True),
        (Answers(rows=0, pruned="a head"), False),
        (Answers(rows=6, epoch=epoch_of(START + 1, b"x")), False),
        (Answers(rows=6, epoch=epoch_of(START - 1, b"x")), True),
        (Answers(rows=6, epoch="rubbish"), True),
    ],
)
def test_the_newest_head_decides(store: Answers, *, behind: bool) -> None:
    """STO-06: its row is there, was forgotten as configured, or went with a restore that was made safe."""
    assert is_behind([line(3, START - 9), line(7), line(5, START - 5)], store.one) is behind


def test_what_is_no_head_of_a_row_says_nothing() -> None:
    """Rubbish, a writer that is no name, and the head of what was forgotten, are passed over."""
    rubbish = [
        "",
        "{",
        "[]",
        "null",
        '{"kind": "head"}',
        line(9, writer="' or 1=1 --"),
        line(9, kind=HeadKind.PRUNED),
    ]
    assert not is_behind(rubbish, Answers().one)
    assert is_behind([*rubbish, line(9)], Answers().one)
    assert not is_behind([], Answers().one)


def test_an_epoch_tells_when_it_began() -> None:
    """And differs from any other that began at the same time."""
    assert restored_at(epoch_of(START, b"a")) == START
    assert restored_at("") == 0.0
    assert epoch_of(START, b"a") != epoch_of(START, b"b")
