"""Lets messages leave: within the limits, by the first channel that can, and with an audit row for each.

MUST 1: the limits of account, address, prefix and the whole are charged before a provider is called.
MUST 2: no message is written to somebody whose second factor is blocked: a code would be of no use.
MUST 3: no log and no audit row has an address or a message's values in it.
MUST 4: a failing channel is followed by the next one; a permanent refusal of an address is not.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.channel import NotSent
from nightlatch.errors import Locked, Unavailable
from nightlatch.model import Changes, DecisionRequest, Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    import structlog

    from nightlatch.channel import Message
    from nightlatch.factor import Reach
    from nightlatch.limits import Rule
    from nightlatch.model import AuditEvent, Snapshot
    from nightlatch.plugins.channel_facade import ChannelFacade
    from nightlatch.ports import Clock, Store

PREFIX_LETTERS = 6
"""How much of an address is its prefix: for a number "+" and five digits, country and area."""


@dataclass(frozen=True, slots=True)
class SendingLimits:
    """The limits that belong to the whole installation, a hour."""

    per_prefix: int = 200
    in_all: int = 2000


class Sender:
    """Sends messages for accounts."""

    def __init__(
        self,
        channels: Mapping[str, ChannelFacade],
        store: Store,
        clock: Clock,
        key: bytes,
        log: structlog.stdlib.BoundLogger,
        *,
        ceilings: SendingLimits | None = None,
    ) -> None:
        self._channels = channels
        self._store = store
        self._clock = clock
        self._key = key
        self._log = log
        self._ceilings = ceilings or SendingLimits()

    async def send(self, event: AuditEvent, reach: Reach, message: Message, seconds: float) -> None:
        """Send a message that `event`'s account asked for; raises NotSent, Locked, Unavailable."""
        await self._charge(event, reach.address)
        await self.deliver(event, reach, message, seconds)

    async def deliver(self, event: AuditEvent, reach: Reach, message: Message, seconds: float) -> None:
        """Deliver by the first channel that can, without charging anybody; raises NotSent."""
        end = self._clock.steady() + seconds
        present = [self._channels[name] for name in reach.channels if name in self._channels]
        order = sorted(present, key=lambda channel: channel.rests)
        reason = "no channel is configured"
        for place, channel in enumerate(order):
            left = (end - self._clock.steady()) / (len(order) - place)
            try:
                receipt = await channel.send(reach.address, message, max(0.1, left))
            except NotSent as error:
                reason = f"{channel.name}: {error.reason}"
                self._log.warning(
                    "message.not_sent", channel=channel.name, reason=error.reason, ref=event.reference
                )
                if error.permanent:
                    break
                continue
            await self._record(event, f"sent by {channel.name}, id {receipt.provider_id or 'none'}")
            return
        await self._record(replace(event, result=Result.UNAVAILABLE), reason)
        raise NotSent(reason)

    async def _charge(self, event: AuditEvent, address: str) -> None:
        rules = self._rules(event.account_id, address)
        factor = limits.factor_scope(event.account_id)

        def body(snapshot: Snapshot) -> tuple[Changes, limits.Charges | limits.Blocked]:
            blocked = limits.charge_factor(snapshot.limits[factor], snapshot.now)
            if isinstance(blocked, limits.Blocked):
                raise Locked(blocked.reason, blocked.retry_after)
            outcome = limits.charge_each(rules, snapshot.limits, snapshot.now)
            if isinstance(outcome, limits.Blocked):
                refused = replace(event, result=Result.LOCKED, reason=f"not sent: {outcome.reason}")
                return Changes(events=(refused,)), outcome
            return Changes(limits=outcome.states), outcome

        request = DecisionRequest((*rules, factor))
        outcome = await self._store.decide(request, body)
        if isinstance(outcome, limits.Blocked):
            self._log.warning("message.limited", account=event.account_id, reason=outcome.reason)
            raise NotSent(f"too many messages: {outcome.reason}")

    def _rules(self, account_id: str, address: str) -> dict[str, Rule]:
        hour = 3600.0
        return {
            f"send/{account_id}": limits.charge_sends(limits.SENDS_OF_ACCOUNT),
            f"send/to/{self._tag(address)}": limits.charge_sends(limits.SENDS_TO_ADDRESS),
            f"send/prefix/{self._prefix(address)}": limits.charge_sends(((self._ceilings.per_prefix, hour),)),
            "send/all": limits.charge_sends(((self._ceilings.in_all, hour),)),
        }

    def _prefix(self, address: str) -> str:
        """A number's first digits, or a mailbox's domain as a tag."""
        return address[:PREFIX_LETTERS] if address.startswith("+") else self._tag(address.rpartition("@")[2])

    def _tag(self, text: str) -> str:
        """A keyed hash: the store holds no address."""
        return hmac.new(self._key, text.casefold().encode(), hashlib.sha256).hexdigest()[:32]

    async def _record(self, event: AuditEvent, reason: str) -> None:
        try:
            await self._store.record(replace(event, reason=reason))
        except Unavailable as error:
            self._log.error("audit.unavailable", ref=event.reference, reason=str(error))
