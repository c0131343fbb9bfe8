"""The group commit: one thread takes all decisions that wait, and writes them in one transaction.

MUST 1: nobody is told a result before the commit that holds it is durable.
MUST 2: a decision that fails writes nothing and does not disturb the others of its group.
MUST 3: what may or may not have been written is unavailable, and is not tried again.
MUST 4: decisions are taken in the order in which they came.
MUST 5: an audit row is chained in the transaction that holds it: see `chaining`.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable, end_without_memory
from nightlatch.store.database import Again, DatabaseError
from nightlatch.store.decider import GivenUp
from nightlatch.store.gathering import Gathering
from nightlatch.store.waiting import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nightlatch.ports import Clock
    from nightlatch.store.chaining import Chaining
    from nightlatch.store.database import Session
    from nightlatch.store.decider import Decider
    from nightlatch.store.prune import Pruner
    from nightlatch.store.view import GroupView
    from nightlatch.store.waiting import Waiting

_TRY_AGAIN = 0.1


class Writer:
    """Owns the queue of decisions, the connection that writes, and their thread."""

    def __init__(
        self,
        connect: Callable[[], Session],
        new_view: Callable[[], GroupView],
        decider: Decider,
        pruner: Pruner,
        clock: Clock,
        *,
        chaining: Chaining,
        committed: Callable[[int, float], None] = lambda _decisions, _seconds: None,
    ) -> None:
        """`committed` hears of every commit: how many decisions, and how long it took, in seconds."""
        self._connect = connect
        self._new_view = new_view
        self._decider = decider
        self._pruner = pruner
        self._chaining = chaining
        self._clock = clock
        self._committed = committed
        self._queue = Gathering(clock)
        self._put_back: list[Waiting] = []
        self._session: Session | None = None
        self._in_hand: list[Waiting] = []
        self._served = 0
        """How many of those in hand, from the first, have their outcome."""
        self._closing = False
        self._ended = threading.Event()
        self._busy_since: float | None = None
        self.trouble = ""
        """Why the last transaction failed; empty when it did not."""
        self._start(self._work)
        decider.watch(self._go_on_without)

    def submit(self, waiting: Waiting) -> None:
        """Queue a decision; raises Unavailable when the store is closed or too many wait."""
        if self._closing:
            raise Unavailable("store", "it is closed")
        self._queue.put(waiting)

    def break_off(self, longer_than: float) -> None:
        """Break off the connection when one group has held it for longer than this: its database hangs."""
        since, session = self._busy_since, self._session
        if since is not None and session is not None and self._clock.steady() - since > longer_than:
            session.abort()

    def close(self, seconds: float) -> None:
        """Finish what is queued, then end the thread; waits for it so long. Blocks."""
        if not self._closing:
            self._closing = True
            self._queue.end()
        self._ended.wait(seconds)

    def _start(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="store-writer", daemon=True).start()

    def _work(self) -> None:
        with contextlib.suppress(GivenUp):
            self._serve_all()

    def _serve_all(self) -> None:
        while group := self._next_group():
            self._busy_since = self._clock.steady()
            self._in_hand, self._served = group, 0
            try:
                self._serve(group)
            except MemoryError:
                end_without_memory()
            except Exception as error:  # noqa: BLE001  # a mistake of ours denies this group, not all that follow
                _fail(group[self._served :], DatabaseError(f"unexpected {type(error).__name__}", Again.NO))
                self._let_go()
            self._queue.answered(group)
            settle(group)
            self._prune()
            self._busy_since = None
        self._sign(closing=True)
        self._let_go()
        self._decider.close()
        self._ended.set()

    def _go_on_without(self, hung: Waiting) -> None:
        """Leave the thread that hangs in the body of `hung` behind, and go on with another."""

        def work() -> None:
            self._let_go()  # nothing of the transaction is written; the others are decided anew
            settle([*self._in_hand[: self._served], hung])
            self._put_back = [one for one in self._in_hand[self._served :] if one is not hung]
            self._work()

        while True:
            try:
                return self._start(work)
            except RuntimeError:  # a limit on tasks or memory: without a writer nobody would be let in again
                time.sleep(_TRY_AGAIN)

    def _next_group(self) -> list[Waiting]:
        """Some of what waits; empty when the writer shall end."""
        group, self._put_back = self._put_back, []
        if not group:
            first = self._first()
            if first is None:
                return []
            group.append(first)
        self._queue.fill(group)
        return group

    def _first(self) -> Waiting | None:
        """Whatever comes next; what was written before is signed while nothing comes."""
        while True:
            try:
                return self._queue.first(self._chaining.due_in())
            except queue.Empty:
                self._busy_since = self._clock.steady()
                self._sign()
                self._busy_since = None

    def _serve(self, group: Sequence[Waiting]) -> None:
        """Give each decision its outcome."""
        if group[0].due > self._clock.steady():  # the first one is the oldest
            try:
                self._attempt(group)
            except DatabaseError as failure:
                if failure.again is not Again.YES:
                    _fail(group, failure)
                    return
            else:
                return
        self._serve_each(group)

    def _serve_each(self, group: Sequence[Waiting]) -> None:
        """One transaction each: a decision that the database refuses fails alone."""
        for place, waiting in enumerate(group):
            self._served = place
            if waiting.due <= self._clock.steady():
                _fail([waiting], DatabaseError("the decision waited too long", Again.NO))
                continue
            try:
                self._attempt([waiting])
            except DatabaseError as failure:
                _fail([waiting], failure)
                if failure.again is Again.NO:
                    _fail(group[place:], failure)
                    break

    def _attempt(self, group: Sequence[Waiting]) -> None:
        """One transaction. Raises DatabaseError."""
        try:
            if self._session is None:
                self._session = self._connect()
            self._transact(self._session, group)
        except DatabaseError as failure:
            self._let_go()
            self.trouble = failure.reason
            if failure.again is Again.UNKNOWN:
                self._chaining.renew()
            raise
        except MemoryError:
            end_without_memory()
        except Exception as error:
            # Not a database's refusal: a value that the driver can not take, or a mistake of ours.
            self._let_go()
            self._chaining.renew()
            self.trouble = f"unexpected {type(error).__name__}"
            raise DatabaseError(self.trouble, Again.YES) from error
        self.trouble = ""

    def _transact(self, session: Session, group: Sequence[Waiting]) -> None:
        now = self._clock.now()
        view = self._new_view()
        self._chaining.begin()
        session.begin()
        view.load(session, [waiting.request for waiting in group], now)
        self._decider.run(view, group)
        writes = view.writes(now, self._chaining)
        began = self._clock.steady()
        session.commit(writes)
        self._chaining.committed()
        self._committed(len(group), self._clock.steady() - began)

    def _prune(self) -> None:
        if self._session is not None and not self._pruner.run(self._session):
            self._let_go()
        if self._chaining.due_in() == 0:
            self._sign()

    def _sign(self, *, closing: bool = False) -> None:
        """Sign how far the audit has come; where that fails now, it is tried again."""
        if self._session is None:
            self._chaining.put_off()  # the next decision connects
            return
        try:
            self._chaining.sign(self._session, closing=closing)
        except Exception:  # noqa: BLE001  # whatever it is, decisions go on, and the next one tells
            self._let_go()

    def _let_go(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def _fail(group: Sequence[Waiting], failure: DatabaseError) -> None:
    for waiting in group:
        error = Unavailable("store", failure.reason)
        error.__cause__ = failure
        waiting.fail(error)
