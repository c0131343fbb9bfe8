"""An audit in a real database, and somebody who changes it behind the daemon's back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nightlatch.audit.evidence import AuditKeys
from nightlatch.audit.verify import Progress, verify
from nightlatch.model import AuditEvent, Result
from nightlatch.store import SqlStore, open_store
from testbed.fixtures_store import KEY, SetClock, SystemRandomness, run

if TYPE_CHECKING:
    from nightlatch.audit.findings import Finding
    from nightlatch.audit.heads import Head

KEYS = AuditKeys.of(KEY)


@dataclass
class Kept:
    """Keeps heads, as a daemon's file does."""

    lines: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def take(self, head: Head, line: str) -> None:
        """Keep it."""
        self.lines.append(line)

    def retention_stopped(self, reason: str) -> None:
        """Keep why."""
        self.stopped.append(reason)


@dataclass
class Books:
    """The audit of daemons on one database."""

    url: str
    clock: SetClock
    kept: Kept
    stores: list[SqlStore] = field(default_factory=list)

    def open(self, retention_days: int = 0) -> SqlStore:
        """A daemon's store."""
        self.stores.append(
            open_store(
                self.url,
                KEY,
                self.clock,
                SystemRandomness(),
                witness=self.kept,
                retention_days=retention_days,
            )
        )
        return self.stores[-1]

    async def write(self, store: SqlStore, *reasons: str) -> None:
        """Write a row for each reason."""
        for reason in reasons:
            await store.record(AuditEvent("login.factor", Result.REFUSED, reason, "7f3a", "corp:1", "alice"))

    async def close(self) -> None:
        """Close all stores."""
        while self.stores:
            await self.stores.pop().close()

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        """Change something behind the daemons' back."""
        return run(self.url, statement)

    async def verified(self, *, witnessed: bool = True) -> Progress:
        """What a verification tells, in one piece; `witnessed`: against the heads that were kept, too."""
        store = self.open()
        pieces = [piece async for piece in verify(store.audit, KEYS, self.kept.lines if witnessed else [])]
        self.stores.remove(store)
        await store.close()
        found = tuple(one for piece in pieces for one in piece.findings)
        last = pieces[-1]
        return Progress(last.rows, last.expected, last.writers, last.before_the_chain, found)

    async def findings(self, *, witnessed: bool = True) -> list[tuple[str, int, int]]:
        """What a verification finds: its kind, and the first and last row that it is about."""
        found = (await self.verified(witnessed=witnessed)).findings
        return [(one.kind.value, one.first, one.last) for one in found]

    async def finding(self) -> Finding:
        """The only finding."""
        [found] = (await self.verified()).findings
        return found
