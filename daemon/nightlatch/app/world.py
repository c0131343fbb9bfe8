"""What stays when a configuration is replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import structlog

    from nightlatch.app.audit_heads import KeptHeads
    from nightlatch.app.worker import WorkerLink
    from nightlatch.keys import MasterKey
    from nightlatch.login.receipt_keys import ReceiptKeys
    from nightlatch.ports import AuditLog, Clock, Randomness, Store
    from nightlatch.telemetry.telemetry import Telemetry
    from nightlatch.webhook.feed import AuditFeed


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit, to be read and passed on, and the heads of it that are kept beside the database."""

    log: AuditLog
    heads: KeptHeads
    feed: AuditFeed


@dataclass(frozen=True, slots=True)
class World:
    """What every core works in."""

    store: Store
    key: MasterKey
    clock: Clock
    randomness: Randomness
    log: structlog.stdlib.BoundLogger
    telemetry: Telemetry
    audit: Audit
    receipt_keys: ReceiptKeys
    worker: WorkerLink | None = None
    """Where this process is one of several workers."""
    epoch: str = ""
    """The store's, which is another one after a restored backup; empty before the first."""

    @property
    def passing_key(self) -> MasterKey:
        """For what lasts for a while only: tickets, sessions, invites. None outlives a restored backup."""
        return self.key.of_epoch(self.epoch)
