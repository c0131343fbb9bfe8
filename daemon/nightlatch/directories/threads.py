"""Threads that nobody has to wait for.

MUST 1: a thread that hangs for ever (in a module of nsswitch.conf, in a resolver) keeps no process from
        ending: those of concurrent.futures are joined at exit, whatever they do.
MUST 2: work that was given up before it began takes no memory while every thread hangs.
MUST 3: a thread that could not be started is not counted: with memory or tasks again, there is one (FLT-01).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from nightlatch.errors import end_without_memory

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class NoThread(RuntimeError):
    """There is no thread to do the work, and the system gives none."""


class Threads:
    """At most `most` threads, which take work in its order. Safe to use from many threads."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """What `work` will return or raise.

        Raises NoThread where there is no thread for it, any other RuntimeError after `close`.
        """
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("these threads are being closed")
            while self._waiting and self._waiting[0][0].cancelled():
                self._waiting.popleft()
            if self._idle <= len(self._waiting) and len(self._threads) < self._most:
                self._begin_thread()
            self._waiting.append((future, work))
            self._changed.notify()
        return future

    def close(self, seconds: float) -> bool:
        """Give up what has not begun, and wait for the rest: whether all threads have ended by then."""
        with self._changed:
            self._closed = True
            given_up = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        for future, _ in given_up:
            future.cancel()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _begin_thread(self) -> None:
        """Start one more; where the system has none, the work waits for those that are there."""
        thread = threading.Thread(target=self._serve, name=f"{self._name}-{len(self._threads)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # a limit on memory or tasks: the next work tries again
            if not self._threads:
                raise NoThread("the system has no thread left") from None
        else:
            self._threads.append(thread)

    def _serve(self) -> None:
        while (item := self._next()) is not None:
            future, work = item
            if future.set_running_or_notify_cancel():
                try:
                    result = work()
                except MemoryError:
                    end_without_memory()
                except BaseException as error:  # noqa: BLE001 - it belongs to who waits for it
                    future.set_exception(error)
                else:
                    future.set_result(result)
                    del result
            del item, future, work  # nothing of it, such as a password, outlives it here

    def _next(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._changed:
            self._idle += 1
            while not self._waiting and not self._closed:
                self._changed.wait()
            self._idle -= 1
            return self._waiting.popleft() if self._waiting else None
