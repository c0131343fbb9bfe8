"""Sends codes behind the answer, for callers that may not know who has what.

MUST 1: the answer is the same, after the same time, for everybody: neither its words nor its time tell
        whether there is such a person, what they have, or what became of a message (API-02).
MUST 2: how often may be asked is counted by the name that was asked for, whoever has it or nobody.
MUST 3: the limits of accounts, addresses and the whole hold as ever; that one stopped a message is in the log
        and the audit alone.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.channel import NotSent
from nightlatch.errors import Locked, NightlatchError
from nightlatch.login.unknown import unknown_id
from nightlatch.model import Changes, DecisionRequest, Result

if TYPE_CHECKING:
    from nightlatch.channel import Message
    from nightlatch.factor import Reach
    from nightlatch.login.parts import Parts
    from nightlatch.login.turn import Turn
    from nightlatch.model import AuditEvent, Snapshot
    from nightlatch.sending import Budget

MOST_UNDER_WAY = 200
"""Messages that wait for their providers; beyond it they are dropped, and the log says so."""
CLOSING_SECONDS = 5.0


class SendingBehind:
    """Takes messages at once, and sends them afterwards: what a `Sender` is to a factor."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._under_way: set[asyncio.Task[None]] = set()

    async def charge(self, turn: Turn) -> None:
        """Count that a code was asked for by this name; raises Locked, as late as a negative answer."""
        scope = f"send/asked/{unknown_id(self._parts.name_key, turn.state.user)}"
        rule = limits.charge_sends(limits.SENDS_OF_ACCOUNT, " for this name")
        event = turn.event("message.send", Result.LOCKED, "")

        def body(snapshot: Snapshot) -> tuple[Changes, limits.Charges | limits.Blocked]:
            outcome = limits.charge_each({scope: rule}, snapshot.limits, snapshot.now)
            if isinstance(outcome, limits.Blocked):
                return Changes(events=(replace(event, reason=f"not sent: {outcome.reason}"),)), outcome
            return Changes(limits=outcome.states), outcome

        outcome = await self._parts.store.decide(DecisionRequest((scope,)), body)
        if isinstance(outcome, limits.Blocked):
            self._parts.watcher.blocked("messages")
            turn.log(Result.LOCKED, outcome.reason)
            await turn.hold()
            raise Locked(f"too many messages: {outcome.reason}", outcome.retry_after)

    async def send(
        self, event: AuditEvent, reach: Reach, message: Message, seconds: float, budget: Budget
    ) -> None:
        """Take a message; it leaves by itself, or its audit row says why it did not."""
        if len(self._under_way) >= MOST_UNDER_WAY:
            self._parts.log.error("message.dropped", under_way=len(self._under_way), ref=event.reference)
            return
        task = asyncio.get_running_loop().create_task(self._send(event, reach, message, seconds, budget))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Wait for the messages under way, for a bounded time."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=CLOSING_SECONDS)

    async def _send(
        self, event: AuditEvent, reach: Reach, message: Message, seconds: float, budget: Budget
    ) -> None:
        try:
            await self._parts.sender.send(event, reach, message, seconds, budget)
        except (NightlatchError, NotSent) as error:
            self._parts.log.warning(
                "message.not_sent_behind", kind=type(error).__name__, reason=str(error), ref=event.reference
            )
