"""What became of messages after their providers had taken them: into the audit and the log, and no further.

MUST 1: a report decides on nothing: whoever writes one may be a hostile gateway.
MUST 2: what is kept, what is written and what waits is bounded, however much a provider reports.
MUST 3: no number and no address is written; a message is named by its provider's id.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nightlatch.channel import DeliveryState
from nightlatch.errors import Unavailable
from nightlatch.model import AuditEvent, Result

if TYPE_CHECKING:
    import structlog

    from nightlatch.channel import Delivery
    from nightlatch.ports import Clock, Store

REMEMBERED = 10_000
"""Messages that a report finds its account by; the oldest is forgotten first."""
REPORTS_OF_A_MESSAGE = 3
"""Further ones are of a message that is not known any more."""
UNKNOWN_A_MINUTE = 60
"""Reports of messages that this daemon does not know: sent by another one, before a reload, or by nobody."""
MOST_UNDER_WAY = 500
MINUTE = 60.0
GRACE_SECONDS = 1.0
"""A report may overtake the answer to its own message: an id that is not known is looked up once more."""
_GOOD = frozenset({DeliveryState.DELIVERED, DeliveryState.UNDER_WAY})


@dataclass(slots=True)
class _Sent:
    """A message that a provider has taken."""

    event: AuditEvent
    reports: int = 0


@dataclass(slots=True)
class _Minute:
    """How many reports of unknown messages there were in one minute, and whether there were too many."""

    begun: float
    taken: int = 0
    dropped: bool = False


class Deliveries:
    """Matches reports with the messages that were sent, and writes them down."""

    def __init__(self, store: Store, clock: Clock, log: structlog.stdlib.BoundLogger) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self._sent: OrderedDict[tuple[str, str], _Sent] = OrderedDict()
        self._minutes: dict[str, _Minute] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    def expect(self, channel: str, provider_id: str, event: AuditEvent) -> None:
        """A message has left: remember whose it is. One message may have several ids, with commas."""
        for one in filter(None, provider_id.split(",")):
            self._sent[channel, one] = _Sent(event)
            self._sent.move_to_end((channel, one))
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    def take(self, channel: str, delivery: Delivery) -> None:
        """Take a report, in the event loop; returns at once."""
        if len(self._under_way) >= MOST_UNDER_WAY:
            self._drop(channel)
            return
        task = asyncio.get_running_loop().create_task(self._take(channel, delivery))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Let go of the reports that wait."""
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _take(self, channel: str, delivery: Delivery) -> None:
        if (channel, delivery.provider_id) not in self._sent:
            await self._clock.sleep(GRACE_SECONDS)
        event = self._event_of(channel, delivery)
        if event is None:
            return
        result = Result.PASSED if delivery.state in _GOOD else Result.UNAVAILABLE
        code = f", error {delivery.error}" if delivery.error else ""
        reason = f"{delivery.state.value} by {channel}, id {delivery.provider_id}{code}"
        self._log.info(
            "message.receipt",
            channel=channel,
            provider_id=delivery.provider_id,
            state=delivery.state.value,
            error=delivery.error or None,
            account=event.account_id or None,
            ref=event.reference or None,
        )
        try:
            await self._store.record(replace(event, event="message.receipt", result=result, reason=reason))
        except Unavailable as error:
            self._log.error("audit.unavailable", ref=event.reference, reason=str(error))

    def _event_of(self, channel: str, delivery: Delivery) -> AuditEvent | None:
        """The audit row that a report continues, one without an account, or None for too many of these."""
        key = channel, delivery.provider_id
        sent = self._sent.get(key)
        if sent is not None:
            sent.reports += 1
            if sent.reports >= REPORTS_OF_A_MESSAGE:
                del self._sent[key]
            return sent.event
        minute = self._minute(channel)
        if minute.taken >= UNKNOWN_A_MINUTE:
            self._drop(channel)
            return None
        minute.taken += 1
        return AuditEvent("message.receipt", Result.PASSED, "", "")

    def _drop(self, channel: str) -> None:
        """Write a report nowhere; the first of a minute is told."""
        minute = self._minute(channel)
        if not minute.dropped:
            self._log.warning("message.receipts_dropped", channel=channel)
        minute.dropped = True

    def _minute(self, channel: str) -> _Minute:
        """The minute that runs."""
        minute = self._minutes.get(channel)
        if minute is None or self._clock.steady() - minute.begun >= MINUTE:
            minute = self._minutes[channel] = _Minute(self._clock.steady())
        return minute
