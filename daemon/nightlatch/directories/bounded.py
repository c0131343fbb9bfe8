"""Blocking calls of one directory, in threads of its own.

MUST 1: the threads and the queue are bounded: a directory that hangs takes no memory and no thread of others.
MUST 2: nobody waits longer than the deadline, and a call that missed it is told to stop.
MUST 3: a call that can not be stopped holds up neither a reload nor the end of the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from nightlatch.directories.threads import NoThread, Threads
from nightlatch.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

T = TypeVar("T")

_NO_THREAD = "no thread can be started. Look at the limits on memory and tasks (systemctl show nightlatchd)"
_WAITING_PER_WORKER = 32
_LAST_SECONDS = 2.0
"""For what was cut to notice it, when a directory is closed."""


class Call:
    """One blocking call, as seen from both sides: the worker's thread and the loop that waits for it."""

    def __init__(self, deadline: float, steady: Callable[[], float] = time.monotonic) -> None:
        self._deadline = deadline
        self._steady = steady
        self._lock = threading.Lock()
        self._watched: Callable[[], socket.socket | None] | None = None
        self._stopped = False
        self.failures: list[str] = []
        """What went wrong so far, server by server."""

    @property
    def over(self) -> bool:
        """Whether nobody waits any more."""
        return self._stopped or self._steady() >= self._deadline

    @contextlib.contextmanager
    def watching(self, current: Callable[[], socket.socket | None]) -> Iterator[None]:
        """Let `stop` cut the socket that `current` tells, as long as the block runs."""
        with self._lock:
            self._watched = current
        try:
            yield
        finally:
            with self._lock:
                self._watched = None

    def stop(self) -> None:
        """End the call: whatever it reads from now on is an end of file."""
        self._stopped = True
        with self._lock:
            waiting = self._watched() if self._watched is not None else None
            if waiting is not None:
                with contextlib.suppress(OSError):
                    # Not waiting.shutdown(): that of a TLS socket would take the TLS state from its thread.
                    socket.socket.shutdown(waiting, socket.SHUT_RDWR)


class BoundedCalls:
    """Runs blocking calls for asyncio code. `part` names the owner in errors ("directory corp")."""

    def __init__(self, part: str, workers: int, seconds: float) -> None:
        self._part = part
        self._seconds = seconds
        self._room = threading.BoundedSemaphore(workers * (1 + _WAITING_PER_WORKER))
        self._threads = Threads(workers, part.replace(" ", "-"))
        self._running: set[Call] = set()

    async def run(self, work: Callable[[Call], T], seconds: float | None = None) -> T:
        """What `work` returns, from a thread; raises Unavailable when it is late, or when too many wait.

        `seconds` is a limit of this call's own, for one that has more to do than others.
        """
        seconds = self._seconds if seconds is None else seconds
        if not self._room.acquire(blocking=False):
            raise Unavailable(self._part, "too many requests wait for it already")
        call = Call(time.monotonic() + seconds)
        try:
            future = self._threads.submit(lambda: work(call))
        except NoThread:
            self._room.release()
            raise Unavailable(self._part, _NO_THREAD) from None
        except RuntimeError:
            self._room.release()
            raise Unavailable(self._part, "it is being closed") from None
        future.add_done_callback(self._make_room)
        self._running.add(call)
        try:
            async with asyncio.timeout(seconds) as limit:
                return await asyncio.wrap_future(future)
        except TimeoutError:
            if not limit.expired():
                raise
            failures = [*call.failures, f"no answer in {seconds:g} s"]
            raise Unavailable(self._part, "; ".join(failures)) from None
        finally:
            self._running.discard(call)
            if not future.done():
                call.stop()

    async def close(self) -> None:
        """Cut what runs, and wait for the threads to end; one that hangs is left behind."""
        for call in tuple(self._running):
            call.stop()
        await asyncio.to_thread(self._threads.close, _LAST_SECONDS)

    def _make_room(self, _: Future[T]) -> None:
        self._room.release()
