"""Blocking calls in bounded threads."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from nightlatch.directories.bounded import BoundedCalls, Call
from nightlatch.errors import Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def calls() -> AsyncIterator[BoundedCalls]:
    """One worker, 0.3 seconds."""
    made = BoundedCalls("directory test", 1, 0.3)
    yield made
    await made.close()


async def test_results_and_errors_come_back(calls: BoundedCalls) -> None:
    """What the work returns or raises is what the caller gets."""
    assert await calls.run(lambda _: 42) == 42

    def refuse(_: Call) -> None:
        raise Refused("no")

    with pytest.raises(Refused):
        await calls.run(refuse)


async def test_a_late_answer_is_unavailable_and_its_socket_is_cut(calls: BoundedCalls) -> None:
    """Nobody waits beyond the deadline, and the thread that reads for it is freed."""
    ours, theirs = socket.socketpair()
    ended = threading.Event()

    def read(call: Call) -> bytes:
        with call.watching(lambda: ours):
            data = ours.recv(1)
        ended.set()
        return data

    start = time.monotonic()
    with ours, theirs:
        with pytest.raises(Unavailable, match=r"no answer in 0\.3 s"):
            await calls.run(read)
        assert time.monotonic() - start < 5
        assert await asyncio.to_thread(ended.wait, 5)
    assert await calls.run(lambda _: "free again") == "free again"


async def test_a_caller_that_goes_away_frees_the_thread(calls: BoundedCalls) -> None:
    """A cancelled request leaves no thread behind."""
    ours, theirs = socket.socketpair()
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    def read(call: Call) -> bytes:
        with call.watching(lambda: ours):
            loop.call_soon_threadsafe(started.set)
            return ours.recv(1)

    with ours, theirs:
        task = asyncio.create_task(calls.run(read))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await calls.run(lambda _: "free") == "free"


async def test_the_queue_is_bounded(calls: BoundedCalls) -> None:
    """One worker and 32 waiting is all: the next is unavailable at once, and room comes back."""
    go_on = threading.Event()
    waiting = [asyncio.create_task(calls.run(lambda _: go_on.wait(5))) for _ in range(33)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="too many"):
        await calls.run(lambda _: None)
    go_on.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await calls.run(lambda _: "room") == "room"


async def test_closed(calls: BoundedCalls) -> None:
    """After close, a call is unavailable and nothing hangs."""
    await calls.close()
    with pytest.raises(Unavailable, match="closed"):
        await calls.run(lambda _: None)
