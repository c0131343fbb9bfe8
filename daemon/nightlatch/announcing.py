"""A store that tells what it has committed: to those who write to people, and to those who watch.

MUST 1: nothing is told before its commit is durable, and nothing of a decision that failed.
MUST 2: whoever listens stops and delays no decision: listeners return at once, and their failures are logged.
MUST 3: a second factor that failures have just blocked is in the audit, once for each block (THR-07).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from nightlatch import limits
from nightlatch.model import AuditEvent, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    import structlog

    from nightlatch.model import Changes, Credential, DecisionRequest, Snapshot, Standing
    from nightlatch.ports import Store

T = TypeVar("T")

LOCK = "account.lock"


class Listener(Protocol):
    """Hears of what has been committed."""

    def happened(self, event: AuditEvent, seconds: float) -> None:
        """An audit row was written. `seconds` is how long a lock lasts, 0 for until somebody helps."""


class AnnouncedStore:
    """Another store, with listeners."""

    def __init__(self, store: Store, log: structlog.stdlib.BoundLogger) -> None:
        self._store = store
        self._log = log
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Have `listener` hear of everything from now on."""
        self._listeners.append(listener)

    async def decide(self, request: DecisionRequest, body: Callable[[Snapshot], tuple[Changes, T]]) -> T:
        """Decide as the store does, and tell of it afterwards."""
        seen: tuple[AuditEvent, ...] = ()
        lasting = 0.0

        def noted(snapshot: Snapshot) -> tuple[Changes, T]:
            nonlocal seen, lasting
            changes, result = body(snapshot)
            if changes.limits and changes.events:
                seconds = new_lock(snapshot, changes)
                if seconds is not None:
                    lasting = seconds
                    changes = replace(changes, events=(*changes.events, _lock(changes.events[-1])))
            seen = changes.events
            return changes, result

        result = await self._store.decide(request, noted)
        for event in seen:
            self._tell(event, lasting if event.event == LOCK else 0.0)
        return result

    async def record(self, event: AuditEvent) -> None:
        """Write a row, and tell of it."""
        await self._store.record(event)
        self._tell(event, 0.0)

    async def credentials(self, account_id: str) -> tuple[Credential, ...]:
        """As the store does."""
        return await self._store.credentials(account_id)

    async def standing(self, account_id: str) -> Standing:
        """As the store does."""
        return await self._store.standing(account_id)

    async def mark(self, name: str) -> str:
        """As the store does."""
        return await self._store.mark(name)

    async def audit_rows(self, account_id: str | None, limit: int) -> tuple[tuple[float, AuditEvent], ...]:
        """As the store does."""
        return await self._store.audit_rows(account_id, limit)

    async def enrolled(self) -> dict[str, tuple[str, ...]]:
        """As the store does."""
        return await self._store.enrolled()

    async def standings(self) -> dict[str, Standing]:
        """As the store does."""
        return await self._store.standings()

    async def health(self) -> str:
        """As the store does."""
        return await self._store.health()

    async def close(self) -> None:
        """As the store does."""
        await self._store.close()

    def _tell(self, event: AuditEvent, seconds: float) -> None:
        for listener in self._listeners:
            try:
                listener.happened(event, seconds)
            except Exception as error:  # noqa: BLE001, MUST 2: it is decided already
                self._log.error("listener.failed", audit_event=event.event, kind=type(error).__name__)


def new_lock(snapshot: Snapshot, changes: Changes) -> float | None:
    """For how long these changes block a second factor that was not blocked so before; None for not at all.

    0 is for until somebody helps.
    """
    for scope, after in changes.limits.items():
        if not scope.startswith(limits.FACTOR):
            continue
        before = snapshot.limits[scope]
        if after.disabled and not before.disabled:
            return 0.0
        if after.blocked_until > max(before.blocked_until, snapshot.now):
            return after.blocked_until - snapshot.now
    return None


def _lock(cause: AuditEvent) -> AuditEvent:
    """The row of a lock, from that of the failure that brought it."""
    reason = "second factor blocked after failures in a row"
    return replace(cause, event=LOCK, result=Result.LOCKED, reason=reason, factor="", credential_id="")
