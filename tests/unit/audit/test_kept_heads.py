"""The file of signed heads beside the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import structlog

from nightlatch.app.audit_heads import HEADS_NAME, KeptHeads
from nightlatch.audit.heads import Head, HeadKeys, HeadKind

if TYPE_CHECKING:
    from pathlib import Path

KEYS = HeadKeys(b"k" * 32)


def keep(kept: KeptHeads, writer: str, sequence: int) -> str:
    """Keep a head; its line."""
    head = Head(HeadKind.HEAD, writer, sequence, b"\x01" * 32, 1.0)
    line = KEYS.sign(head)
    kept.take(head, line)
    return line


def test_the_last_head_of_each_writer_stays(tmp_path: Path) -> None:
    """Shortened at a start: what is no head stays too, for somebody to look at."""
    kept = KeptHeads(tmp_path, structlog.get_logger())
    assert kept.lines() == []
    keep(kept, "a", 1)
    other = keep(kept, "b", 5)
    last = keep(kept, "a", 2)
    with (tmp_path / HEADS_NAME).open("a") as file:
        file.write("something else\n")
    kept.shorten()
    assert sorted(kept.lines()) == sorted([other, last, "something else"])
    assert (tmp_path / HEADS_NAME).stat().st_mode & 0o777 == 0o600


def test_several_daemons_share_the_file(tmp_path: Path) -> None:
    """Heads that are kept while another daemon shortens the file are not lost."""

    def one(number: int) -> str:
        kept = KeptHeads(tmp_path, structlog.get_logger())
        kept.shorten()
        return keep(kept, f"w{number}", 1)

    with ThreadPoolExecutor(8) as pool:
        lines = list(pool.map(one, range(40)))
    assert sorted(KeptHeads(tmp_path, structlog.get_logger()).lines()) == sorted(lines)


def test_a_file_that_can_not_be_written_stops_nothing(tmp_path: Path) -> None:
    """AUD-02: the log has the head all the same."""
    (tmp_path / HEADS_NAME).mkdir()
    with structlog.testing.capture_logs() as logged:
        keep(KeptHeads(tmp_path, structlog.get_logger()), "a", 1)
    assert [line["event"] for line in logged] == ["audit.head", "audit.head_not_kept"]
