"""The parts of worker processes that need no process: pauses, silence, and lines that stay whole."""

from __future__ import annotations

import os
import select
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.app.logs import whole_lines
from nightlatch.app.slot import FIRST_PAUSE, HUNG_SECONDS, LONGEST_PAUSE, STEADY_AFTER, Slot
from nightlatch.app.worker import CONFIG_TAKEN, TROUBLE

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def worker() -> Iterator[tuple[Slot, socket.socket]]:
    """A place that is taken at second 0, and the worker's end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    slot = Slot(1)
    slot.started(os.getpid(), ours, 1000.0, 0.0)
    yield slot, theirs
    ours.close()
    theirs.close()


def test_a_worker_that_keeps_ending_is_started_ever_more_slowly(worker: tuple[Slot, socket.socket]) -> None:
    """Pauses double up to a bound, and begin anew after a worker that served for a while."""
    slot, _ = worker
    pauses = [slot.ended("ended", 0.0) for _ in range(9)]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        slot.started(os.getpid(), ours, 1000.0, 100.0)
        slot.ready = True
        assert slot.ended("ended", 101.0 + STEADY_AFTER) == FIRST_PAUSE


def test_a_silent_worker_hangs_and_one_that_speaks_does_not(worker: tuple[Slot, socket.socket]) -> None:
    """What counts is when it was heard last; what does not work in it is kept until it works."""
    slot, theirs = worker
    slot.ready = True
    assert slot.hangs(HUNG_SECONDS + 1)
    theirs.send(f"WATCHDOG=1\n{TROUBLE}store is away".encode())
    slot.hear(HUNG_SECONDS)
    assert not slot.hangs(HUNG_SECONDS + 1)
    assert slot.state == replace(slot.state, trouble="store is away")
    theirs.send(b"WATCHDOG=1")
    slot.hear(HUNG_SECONDS)
    assert slot.state.trouble == ""


def test_only_a_configuration_that_was_taken_is_the_next_one(worker: tuple[Slot, socket.socket]) -> None:
    """A worker that refused it says READY as well, and its successor keeps the old one."""
    slot, _ = worker
    assert not slot.takes(["READY=1"])
    assert slot.takes(["READY=1", CONFIG_TAKEN])


def test_lines_leave_whole_in_pieces_that_one_write_keeps_together() -> None:
    """AUD-02: with several processes on one pipe, no piece is longer than PIPE_BUF, unless one line is."""
    lines = [f"{number:04d} {'xü'[number % 2] * (number % 900)}" for number in range(2000)]
    pieces = [*whole_lines([*lines, "y" * 9000])]
    assert "".join(pieces).splitlines() == [*lines, "y" * 9000]
    assert all(piece.endswith("\n") for piece in pieces)
    assert max(len(piece.encode()) for piece in pieces[:-1]) <= select.PIPE_BUF
