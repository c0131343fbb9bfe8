"""What administrators ask of the audit: rows, new rows as they come, and whether all is as it was written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nightlatch.audit.verify import verify
from nightlatch.errors import Unavailable
from nightlatch.login.unknown import unknown_id
from nightlatch.model import AuditQuery

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from nightlatch.audit.evidence import AuditKeys
    from nightlatch.audit.verify import Progress
    from nightlatch.model import Account, AuditRow
    from nightlatch.ports import AuditLog, Clock

PAGE = 200
"""Rows that are read, and sent, at once: a row has at most 12 texts of 256 letters."""
LOOK_EVERY = 0.5
"""Seconds between two looks at what is new."""
LATE = 3.0
"""How long a row may come after one with a higher number: another daemon's commit was slower."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Asks the store."""

    log: AuditLog
    keys: AuditKeys
    name_key: bytes
    find: Callable[[str], Awaitable[Account | None]]
    """Asks the directories; raises Unavailable."""
    kept_heads: Callable[[], Sequence[str]]
    """The signed heads that were kept beside the database; called on a thread."""
    clock: Clock

    async def accounts_of(self, user: str) -> tuple[tuple[str, ...], str]:
        """The ids under which somebody is in the audit; and why not all may be there, empty if they are.

        An account's id stands for itself. A name is also looked for as it was typed when no directory
        could tell whose it is.
        """
        known = await self.log.accounts_named(user)
        found = {user, unknown_id(self.name_key, user), *known}
        try:
            account = await self.find(user)
        except Unavailable as error:
            return tuple(sorted(found)), str(error)
        if account is not None:
            found.add(account.id)
        return tuple(sorted(found)), ""

    async def rows(self, query: AuditQuery, limit: int) -> AsyncGenerator[tuple[AuditRow, ...], None]:
        """All rows, at most `limit` where it is not 0, a page at a time; raises Unavailable."""
        beyond: int | None = None
        left = limit or None
        while left is None or left > 0:
            page = await self.log.page(query, beyond, PAGE if left is None else min(PAGE, left))
            if not page:
                return
            yield page
            beyond = page[-1].id
            left = None if left is None else left - len(page)

    async def follow(
        self, query: AuditQuery, stopping: asyncio.Event
    ) -> AsyncGenerator[tuple[AuditRow, ...], None]:
        """New rows as they are committed, until `stopping`; raises Unavailable."""
        newest = await self.log.page(AuditQuery(), None, 1)
        settled = newest[-1].id if newest else 0
        query = replace(query, oldest_first=True, since=None, until=None)
        seen: dict[int, float] = {}
        while not stopping.is_set():
            beyond: int | None = settled
            now = self.clock.steady()
            while beyond is not None:
                page = await self.log.page(query, beyond, PAGE)
                new = tuple(row for row in page if row.id not in seen)
                seen.update((row.id, now) for row in new)
                beyond = page[-1].id if len(page) == PAGE else None
                if new:
                    yield new
            old = [number for number, when in seen.items() if when < now - LATE]
            settled = max((settled, *old))
            seen = {number: when for number, when in seen.items() if number > settled}
            await self.clock.sleep(LOOK_EVERY)

    def verify(self, lines: Sequence[str]) -> AsyncGenerator[Progress, None]:
        """Verify everything, against these heads too; raises Unavailable."""
        return verify(self.log, self.keys, lines)
