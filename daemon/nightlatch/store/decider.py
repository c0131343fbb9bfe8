"""Runs the bodies of decisions on the writer's thread, and watches that none holds the others up for long.

A thread of their own for the bodies would cost every decision two more changes of thread, and beside a busy
event loop each of them waits for the interpreter: measured, half as many decisions a second. So the thread
that hangs is the writer's, and the writer goes on with another.

MUST 1: a body that ends after it was given up changes nothing.
MUST 2: threads that were given up are counted, and their number is bounded.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable, end_without_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nightlatch.ports import Clock
    from nightlatch.store.view import GroupView
    from nightlatch.store.waiting import Waiting


class GivenUp(BaseException):
    """The body of this thread was given up meanwhile: the thread ends, and touches nothing on its way."""


class _Turn:
    """A body that runs."""

    __slots__ = ("began", "thread", "waiting")

    def __init__(self, waiting: Waiting, began: float) -> None:
        self.waiting = waiting
        self.began = began
        self.thread = threading.current_thread()


class Decider:
    """Decides groups, one at a time."""

    def __init__(self, clock: Clock, bound: float, most_given_up: int) -> None:
        self._clock = clock
        self._bound = bound
        self._most_given_up = most_given_up
        self._given_up: list[threading.Thread] = []
        self._lock = threading.Lock()
        """Guards `_turn` where it ends: by the body, or by being given up."""
        self._turn: _Turn | None = None
        self._awake = threading.Event()
        self._closed = threading.Event()

    def watch(self, given_up: Callable[[Waiting], None]) -> None:
        """Begin to watch. `given_up` hears of a body that hangs, from the thread that watches."""
        threading.Thread(target=self._watch, args=(given_up,), name="store-watch", daemon=True).start()

    def run(self, view: GroupView, group: Sequence[Waiting]) -> None:
        """Decide one after another; raises GivenUp where one of them was given up."""
        if self.hanging() >= self._most_given_up:
            for waiting in group:
                waiting.fail(Unavailable("store", "too many decisions hang in their factors"))
            return
        for waiting in group:
            self._decide(view, waiting)

    def hanging(self) -> int:
        """How many threads were given up and still hang."""
        if self._given_up:
            self._given_up = [thread for thread in self._given_up if thread.is_alive()]
        return len(self._given_up)

    def close(self) -> None:
        """Watch no longer."""
        self._closed.set()
        self._awake.set()

    def _decide(self, view: GroupView, waiting: Waiting) -> None:
        now = self._clock.now()
        failure: BaseException | None = None
        turn = self._turn = _Turn(waiting, self._clock.steady())
        if not self._awake.is_set():
            self._awake.set()
        try:
            changes, result = waiting.body(view.snapshot(waiting.request, now))
        except MemoryError:
            end_without_memory()
        except BaseException as error:  # noqa: BLE001  # a plugin may raise anything, SystemExit too
            failure = error
        with self._lock:
            if self._turn is not turn:
                raise GivenUp
            self._turn = None
        try:
            if failure is None:
                view.apply(waiting.request, changes, now)
                waiting.succeed(result)
        except Exception as error:  # noqa: BLE001  # what a body returned may be anything
            failure = error
        if failure is not None:
            waiting.fail(failure)

    def _watch(self, given_up: Callable[[Waiting], None]) -> None:
        while not self._closed.is_set():
            turn = self._turn
            if turn is None:
                self._awake.clear()
                if self._turn is None:  # else a body has begun meanwhile, and found nobody to wake
                    self._awake.wait()
                continue
            left = turn.began + self._bound - self._clock.steady()
            if left > 0:
                self._closed.wait(left)
            elif self._give_up(turn):
                given_up(turn.waiting)

    def _give_up(self, turn: _Turn) -> bool:
        """Whether it was still running."""
        with self._lock:
            if self._turn is not turn:
                return False
            self._turn = None
            self._given_up.append(turn.thread)
        turn.waiting.fail(Unavailable("store", "the decision took too long in its factor"))
        return True
