"""The store as the core sees it: `nightlatch.ports.Store` on SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from nightlatch.errors import Unavailable
from nightlatch.model import AuditEvent, Changes, DecisionRequest, Result, Standing
from nightlatch.store.audit_feed import StoreAuditFeed
from nightlatch.store.audit_reads import AuditReads
from nightlatch.store.bulk import factors_by_account, paged_standings, standings_by_account
from nightlatch.store.database import AsStored, Query
from nightlatch.store.decider import Decider
from nightlatch.store.patience import Patience
from nightlatch.store.prune import Pruner
from nightlatch.store.reader import Read, Reader
from nightlatch.store.rows import audit_event
from nightlatch.store.view import GroupView
from nightlatch.store.waiting import Waiting
from nightlatch.store.writer import Writer
from nightlatch.watching import Activity, NoWatcher, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.model import Credential, Snapshot
    from nightlatch.ports import Clock
    from nightlatch.store.audit_prune import AuditPruner
    from nightlatch.store.chaining import Chaining
    from nightlatch.store.database import Row, Session
    from nightlatch.store.seal import CredentialSeal
    from nightlatch.store.statements import Statements
    from nightlatch.store.waiting import Pending

T = TypeVar("T")


class StoreWatcher(Watcher, Protocol):
    """Whoever watches the store."""

    def committed(self, decisions: int, seconds: float) -> None:
        """So many decisions were committed together, in so long. Called by a thread of the store's."""


LONGEST_ANSWER = 10.0
"""How long a caller waits for the store, in seconds; then it is unavailable."""
LONGEST_BODY = 1.0
"""How long a decision's body may take."""
MOST_HANGING = 8
"""Bodies that may hang at a time; beyond it the store decides nothing until one of them ends."""
_STUCK = 8.0
_CLOSING = 15.0


class SqlStore:
    """Made by `open_store`. Its methods may be called from any event loop; its threads are its own."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], Session],
        statements: Statements,
        seal: CredentialSeal,
        clock: Clock,
        *,
        chaining: Chaining,
        audit_pruner: AuditPruner,
        watcher: StoreWatcher | None = None,
    ) -> None:
        self._name = name
        self._watcher = watcher or NoWatcher()
        self._clock = clock
        self._statements = statements
        self._patience = Patience()
        self._decider = Decider(clock, LONGEST_BODY, MOST_HANGING)
        self._reader = Reader(connect, statements, seal, clock)
        self._reports = Reader(connect, statements, seal, clock)  # what reads long holds up nobody's login
        self.audit = AuditReads(statements, lambda query, take: self._read(self._reports, query, take))
        self.feed = StoreAuditFeed(connect, statements)
        self._writer = Writer(
            connect,
            lambda: GroupView(statements, seal),
            self._decider,
            Pruner(statements, clock, audit_pruner),
            clock,
            chaining=chaining,
            committed=self._watcher.committed,
        )

    def __repr__(self) -> str:
        """Say which database it is."""
        return f"SqlStore({self._name})"

    async def decide(self, request: DecisionRequest, body: Callable[[Snapshot], tuple[Changes, T]]) -> T:
        """Decide in one transaction, committed together with the others that wait; see `Store.decide`.

        `body` runs on a thread of the store's, at most LONGEST_BODY; it may run a second time, when the
        database asks for that or another one of its group hung. Raises what `body` raises, and Unavailable.
        """
        return await self._patience.decide(request.account_id, lambda: self._decide(request, body))

    async def _decide(self, request: DecisionRequest, body: Callable[[Snapshot], tuple[Changes, T]]) -> T:
        loop = asyncio.get_running_loop()
        waiting = Waiting(request, body, loop, self._clock.steady() + LONGEST_ANSWER)
        with self._watcher.during(Activity.DECISION, ""):
            self._writer.submit(waiting)
            return await self._answer(waiting, lambda: self._writer.break_off(_STUCK))  # type: ignore[no-any-return]  # the result is the body's

    async def credentials(self, account_id: str) -> tuple[Credential, ...]:
        """An account's credentials, oldest first. Raises Unavailable."""
        read = Read(asyncio.get_running_loop(), account_id)
        self._reader.submit(read)
        return await self._answer(read, self._reader.break_off)  # type: ignore[no-any-return]  # the reader's own

    async def standing(self, account_id: str) -> Standing:
        """An account's standing. Raises Unavailable."""
        query = self._statements.among(self._statements.standings, [account_id])
        standings: dict[str, Standing] = await self._read(self._reader, query, standings_by_account)
        return standings.get(account_id, Standing())

    async def mark(self, name: str) -> str:
        """The text of the installation that is kept under a name; empty for none. Raises Unavailable."""
        query = self._statements.among(self._statements.marks, [name])
        return await self._read(self._reader, query, lambda rows: rows[0][1] if rows else "")  # type: ignore[no-any-return]  # what its last argument returns

    async def enrolled(self) -> dict[str, tuple[str, ...]]:
        """The factors of every account's credentials that have not expired. Raises Unavailable.

        A factor stands once for each credential. Nothing is unsealed, and no decision waits meanwhile.
        """
        query = Query(self._statements.enrolled, (self._clock.now(),))
        return await self._read(self._reports, query, factors_by_account)  # type: ignore[no-any-return]  # what its last argument returns

    async def standings(self) -> dict[str, Standing]:
        """Every standing that differs from a fresh one. Raises Unavailable, also when one is malformed."""
        query = Query(self._statements.all_standings, ())
        return await self._read(self._reports, query, paged_standings)  # type: ignore[no-any-return]  # what its last argument returns

    async def record(self, event: AuditEvent) -> None:
        """Write one audit row that belongs to no decision. Raises Unavailable."""
        await self.decide(DecisionRequest(), lambda _: (Changes(events=(event,)), None))

    async def audit_rows(self, account_id: str | None, limit: int) -> tuple[tuple[float, AuditEvent], ...]:
        """The newest audit rows, newest first, with their time; of one account, or of all for None."""
        of = self._statements
        if account_id is None:
            query = AsStored(of.audit_of_all, (limit,))
        else:
            query = AsStored(of.audit_of_one, (account_id, limit))
        rows = await self._read(self._reader, query, list)
        return tuple(audit_event(row) for row in rows)

    async def health(self) -> str:
        """A line about the store when it reads and, after a failure, writes again; or raises Unavailable."""
        query = Query("select value from meta where name = 'key_check'", ())
        await self._read(self._reader, query, list)
        if hanging := self._decider.hanging():
            raise Unavailable("store", f"{hanging} decisions hang in their factors")
        if trouble := self._writer.trouble:
            await self.record(AuditEvent("store.recovered", Result.CHANGED, trouble, ""))
        return self._name

    async def close(self) -> None:
        """Finish what is queued, then let go of the database."""
        await asyncio.to_thread(self._writer.close, _CLOSING)
        await self.feed.close()
        for reader in (self._reader, self._reports):
            await asyncio.to_thread(reader.close, _CLOSING)

    async def _read(self, reader: Reader, query: Query, take: Callable[[list[Row]], object]) -> Any:  # noqa: ANN401  # what `take` returns
        read = Read(asyncio.get_running_loop(), query=query, take=take)
        reader.submit(read)
        return await self._answer(read, reader.break_off)

    async def _answer(self, pending: Pending, break_off: Callable[[], None]) -> Any:  # noqa: ANN401  # whatever the pending one is about
        def give_up() -> None:
            break_off()
            if not pending.future.done():
                pending.future.set_exception(Unavailable("store", "it did not answer in time"))

        timer = pending.loop.call_later(LONGEST_ANSWER, give_up)
        try:
            return await pending.future
        finally:
            timer.cancel()
