"""Reads outside any decision, on a thread and a connection of their own.

What is read is made ready on that thread too, so that the caller's loop has no work with many rows.
Reads of credentials that wait are answered together, as decisions are: one query for all of them.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable, end_without_memory
from nightlatch.store.database import Again, DatabaseError, Query
from nightlatch.store.view import lasting, opened
from nightlatch.store.waiting import Pending, settle

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from nightlatch.ports import Clock
    from nightlatch.store.database import Row, Session
    from nightlatch.store.seal import CredentialSeal
    from nightlatch.store.statements import Statements

MOST_WAITING = 8192
"""Reads in the queue; further ones are turned away at once."""
_MOST_IN_GROUP = 256


class Read(Pending):
    """Waits for what `take` makes of the rows of `query`, or for an account's credentials (as a tuple)."""

    __slots__ = ("account_id", "query", "take")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        account_id: str = "",
        query: Query | None = None,
        take: Callable[[list[Row]], object] = list,
    ) -> None:
        super().__init__(loop)
        self.account_id = account_id
        self.query = query
        self.take = take
        """Raises Unavailable for rows that it can not take."""


class Reader:
    """Owns the queue of reads, the connection that reads, and their thread."""

    def __init__(
        self, connect: Callable[[], Session], statements: Statements, seal: CredentialSeal, clock: Clock
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._statements = statements
        self._seal = seal
        self._queue: queue.SimpleQueue[Read | None] = queue.SimpleQueue()
        self._session: Session | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="store-reader", daemon=True)
        self._thread.start()

    def submit(self, read: Read) -> None:
        """Queue a read; raises Unavailable when the store is closed or too many wait."""
        if self._closing:
            raise Unavailable("store", "it is closed")
        if self._queue.qsize() >= MOST_WAITING:
            raise Unavailable("store", f"{MOST_WAITING} reads wait already")
        self._queue.put(read)

    def break_off(self) -> None:
        """Break off what the connection waits for: its database hangs."""
        session = self._session
        if session is not None:
            session.abort()

    def close(self, seconds: float) -> None:
        """Finish what is queued, then end the thread; waits for it so long. Blocks."""
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        self._thread.join(seconds)

    def _work(self) -> None:
        while group := self._next_group():
            self._answer(group)
            settle(group)
        self._let_go()

    def _next_group(self) -> list[Read]:
        first = self._queue.get()
        if first is None:
            return []
        group = [first]
        with contextlib.suppress(queue.Empty):
            while len(group) < _MOST_IN_GROUP:
                read = self._queue.get_nowait()
                if read is None:
                    self._queue.put(None)
                    break
                group.append(read)
        return group

    def _answer(self, group: Sequence[Read]) -> None:
        try:
            try:
                self._attempt(group)
            except DatabaseError as failure:
                self._let_go()
                if failure.again is not Again.YES:
                    raise
                self._attempt(group)  # a connection that was found dead, for instance
        except MemoryError:
            end_without_memory()
        except Exception as error:  # noqa: BLE001  # each caller gets it, and the thread goes on
            self._let_go()
            reason = (
                error.reason if isinstance(error, DatabaseError) else f"unexpected {type(error).__name__}"
            )
            for read in group:
                unavailable = Unavailable("store", reason)
                unavailable.__cause__ = error
                read.fail(unavailable)

    def _attempt(self, group: Sequence[Read]) -> None:
        if self._session is None:
            self._session = self._connect()
        accounts = sorted({read.account_id for read in group if read.query is None})
        others = [read for read in group if read.query is not None]
        queries = [read.query for read in others if read.query is not None]
        if accounts:
            queries.append(self._statements.among(self._statements.credentials, accounts))
        results = self._session.read(queries)
        for read, rows in zip(others, results, strict=False):
            try:
                read.succeed(read.take(rows))
            except Unavailable as error:
                read.fail(error)
        if accounts:
            self._answer_credentials([read for read in group if read.query is None], results[-1])

    def _answer_credentials(self, group: Sequence[Read], rows: Sequence[Row]) -> None:
        by_account: dict[str, list[Row]] = {}
        for row in rows:
            by_account.setdefault(row[0], []).append(row)
        now = self._clock.now()
        for read in group:
            try:
                held = opened(self._seal, by_account.get(read.account_id, ()))
                read.succeed(lasting(held, now))
            except Unavailable as error:
                read.fail(error)

    def _let_go(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
