"""Runs the bodies of decisions on a thread of its own, so that one that hangs holds nobody up for long.

MUST 1: a body that ends after it was given up changes nothing.
MUST 2: threads that were given up are counted, and their number is bounded.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable, end_without_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nightlatch.ports import Clock
    from nightlatch.store.view import GroupView
    from nightlatch.store.waiting import Waiting


class _Batch:
    """A group on its way through the decider's thread. `lock` guards all but what a body does."""

    def __init__(self, view: GroupView, group: Sequence[Waiting], clock: Clock) -> None:
        self.view = view
        self.group = group
        self.clock = clock
        self.lock = threading.Lock()
        self.decided = 0
        self.started = clock.steady()
        self.given_up = False
        self.done: queue.SimpleQueue[None] = queue.SimpleQueue()

    def run(self) -> None:
        """Decide one after another, until all are decided or the batch was given up."""
        for waiting in self.group:
            if not self._decide(waiting):
                return
        self.done.put(None)

    def _decide(self, waiting: Waiting) -> bool:
        now = self.clock.now()
        failure: BaseException | None = None
        try:
            changes, result = waiting.body(self.view.snapshot(waiting.request, now))
        except MemoryError:
            end_without_memory()
        except BaseException as error:  # noqa: BLE001  # a plugin may raise anything, SystemExit too
            failure = error
        with self.lock:
            if self.given_up:
                return False
            try:
                if failure is None:
                    self.view.apply(waiting.request, changes, now)
                    waiting.succeed(result)
            except Exception as error:  # noqa: BLE001  # what a body returned may be anything
                failure = error
            if failure is not None:
                waiting.fail(failure)
            self.decided += 1
            self.started = self.clock.steady()
        return True


class Decider:
    """Decides groups, one at a time."""

    def __init__(self, clock: Clock, bound: float, most_given_up: int) -> None:
        self._clock = clock
        self._bound = bound
        self._most_given_up = most_given_up
        self._given_up: list[threading.Thread] = []
        self._start()

    def run(self, view: GroupView, group: Sequence[Waiting]) -> int:
        """Decide the group; how many are decided. Fewer than all when one hung, and that one failed."""
        if self.hanging() >= self._most_given_up:
            for waiting in group:
                waiting.fail(Unavailable("store", "too many decisions hang in their factors"))
            return len(group)
        batch = _Batch(view, group, self._clock)
        self._inbox.put(batch)
        left = self._bound
        while True:
            try:
                batch.done.get(timeout=left)
            except queue.Empty:
                with batch.lock:
                    left = batch.started + self._bound - self._clock.steady()
                    if left <= 0 and batch.decided < len(group):
                        return self._give_up(batch)
                left = max(left, 0.001)
            else:
                return len(group)

    def hanging(self) -> int:
        """How many threads were given up and still hang."""
        self._given_up = [thread for thread in self._given_up if thread.is_alive()]
        return len(self._given_up)

    def close(self) -> None:
        """Let the thread end."""
        self._inbox.put(None)

    def _give_up(self, batch: _Batch) -> int:
        batch.given_up = True
        batch.group[batch.decided].fail(Unavailable("store", "the decision took too long in its factor"))
        self._given_up.append(self._thread)
        self._inbox.put(None)
        self._start()
        return batch.decided + 1

    def _start(self) -> None:
        self._inbox: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=_work, args=(self._inbox,), name="store-decider", daemon=True)
        self._thread.start()


def _work(inbox: queue.SimpleQueue[_Batch | None]) -> None:
    while (batch := inbox.get()) is not None:
        batch.run()
