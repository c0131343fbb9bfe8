"""Reads the audit for whoever passes it on elsewhere, and keeps how far they have come.

It has a thread and a connection of its own: what is passed on holds up no login and no report.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from nightlatch.errors import Unavailable
from nightlatch.store.database import Again, AsStored, DatabaseError, Query
from nightlatch.store.rows import stored_audit_row
from nightlatch.webhook.feed import AuditStretch

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.model import AuditRow
    from nightlatch.store.database import Session
    from nightlatch.store.statements import Statements
    from nightlatch.webhook.feed import AuditChoice

T = TypeVar("T")

LONGEST_ANSWER = 10.0
"""Seconds."""


class StoreAuditFeed:
    """The feed of one store. All raise Unavailable."""

    def __init__(self, connect: Callable[[], Session], statements: Statements) -> None:
        write = statements.dialect.write
        self._dialect = statements.dialect
        self._connect = connect
        self._session: Session | None = None
        self._thread = ThreadPoolExecutor(1, "store-feed")
        self._closed = False
        # The numbers without a hole are those where the place in the order is the distance from the start.
        self._stretch = write(
            "select max(case when id = ? + place then id end), max(id), (select min(id) from audit) from"
            " (select id, row_number() over (order by id) as place from audit where id > ?"
            " order by id limit ?) as page"
        )
        self._wanted = f"{statements.audit_columns} where id > ? and id <= ? and"
        self._make = write("insert into meta (name, value) values (?, '') on conflict (name) do nothing")
        self._read = write("select value from meta where name = ? LOCK")
        self._put = write("update meta set value = ? where name = ?")

    async def newest(self) -> int:
        """The number of the newest row; 0 where there is none."""
        [[row]] = await self._run(lambda session: session.read([Query("select max(id) from audit", ())]))
        return row[0] or 0

    async def stretch(self, after: int, most: int) -> AuditStretch:
        """How the next `most` rows behind the one of this number lie."""
        query = Query(self._stretch, (after, after, most))
        [[row]] = await self._run(lambda session: session.read([query]))
        whole, last, oldest = row
        return AuditStretch(whole or after, last or after, oldest or 0)

    async def rows(self, choice: AuditChoice, after: int, upto: int, most: int) -> tuple[AuditRow, ...]:
        """The first `most` chosen rows between two numbers, without the one and with the other, in order."""
        as_list = self._dialect.list_of
        either = ["event AMONG", "(result = 'granted' and factor AMONG)"]
        values: list[object] = [as_list(choice.names), as_list(choice.granted_by)]
        for beginning in choice.beginnings:
            either.append("substr(event, 1, ?) = ?")
            values += [len(beginning), beginning]
        sql = self._dialect.write(f"{self._wanted} ({' or '.join(either)}) order by id limit ?")
        query = AsStored(sql, (after, upto, *values, most))
        [rows] = await self._run(lambda session: session.read([query]))
        return tuple(map(stored_audit_row, rows))

    async def mark(self, name: str, change: Callable[[str], str | None]) -> str:
        """Change the text kept under a name, under its lock; None leaves it. What it is then.

        `change` gets the text, empty at first, on a thread of the store's, and may be asked again.
        """

        def work(session: Session) -> str:
            session.begin()
            rows = session.read([Query(self._make, (name,)), Query(self._read, (name,))])[-1]
            old = str(rows[0][0])
            new = change(old)
            if new is not None:
                session.write([Query(self._put, (new, name))])
            session.commit()
            return old if new is None else new

        return await self._run(work)

    async def close(self) -> None:
        """Let go of the database, after what is under way."""
        self._closed = True
        await asyncio.to_thread(self._thread.shutdown)
        self._let_go()

    async def _run(self, work: Callable[[Session], T]) -> T:
        if self._closed:
            raise Unavailable("store", "it is closed")
        future = asyncio.get_running_loop().run_in_executor(self._thread, self._attempt, work)
        done, _ = await asyncio.wait([future], timeout=LONGEST_ANSWER)
        if not done:
            future.add_done_callback(lambda late: late.cancelled() or late.exception())
            if (session := self._session) is not None:
                session.abort()
            raise Unavailable("store", "it did not answer in time")
        try:
            return future.result()
        except DatabaseError as error:
            raise Unavailable("store", error.reason) from error

    def _attempt(self, work: Callable[[Session], T]) -> T:
        try:
            return self._once(work)
        except DatabaseError as failure:
            if failure.again is not Again.YES:
                raise
        return self._once(work)  # a connection that was found dead, for instance

    def _once(self, work: Callable[[Session], T]) -> T:
        try:
            if self._session is None:
                self._session = self._connect()
            return work(self._session)
        except BaseException:
            self._let_go()
            raise

    def _let_go(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
