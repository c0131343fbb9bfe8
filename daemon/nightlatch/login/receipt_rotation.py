"""The key that signs receipts is replaced: one decision in the store, with its audit row."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.errors import Conflict, Unavailable
from nightlatch.login.receipt_keys import MARK, Generation
from nightlatch.model import AuditEvent, Changes, DecisionRequest, Result

if TYPE_CHECKING:
    from nightlatch.login.receipt_keys import ReceiptKeys
    from nightlatch.model import Snapshot
    from nightlatch.ports import Clock, Store

_TOO_SOON = (
    "The key signs since {} (UTC) only: whoever keeps a key set of before may not know the next one yet. "
    "Rotate from {} on, or at once where a key may be in other hands."
)


@dataclass(frozen=True, slots=True)
class ReceiptRotation:
    """Lets the next key sign."""

    keys: ReceiptKeys
    store: Store
    clock: Clock

    async def rotate(self, caller: str, *, at_once: bool) -> None:
        """Let the next key sign from now on; with `at_once` the one before leaves the key set with it.

        Raises Conflict where the last time was too short ago and it is not at once, Unavailable.
        """

        def body(snapshot: Snapshot) -> tuple[Changes, Generation]:
            before = self._before(snapshot)
            if not at_once and snapshot.now < before.next_at:
                raise Conflict(_TOO_SOON.format(_shown(before.since), _shown(before.next_at + 1)))
            after = Generation(before.number + 1, snapshot.now, at_once)
            reason = "the key before was withdrawn at once" if at_once else ""
            facts = f"generation={after.number} at_once={int(at_once)}"
            event = AuditEvent("receipts.rotate", Result.CHANGED, reason, "", caller=caller, facts=facts)
            return Changes(mark=after.text(), events=(event,)), after

        self.keys.follow(await self.store.decide(DecisionRequest(mark=MARK), body))

    def _before(self, snapshot: Snapshot) -> Generation:
        """The newest generation that the store or this daemon knows."""
        try:
            stored = Generation.of(snapshot.mark)
        except ValueError as error:
            raise Unavailable("store", str(error)) from None
        return max(stored, self.keys.generation, key=lambda one: one.number)


def _shown(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(seconds))
