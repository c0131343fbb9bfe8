"""Lets messages leave: within the limits, by the first channel that can, and with an audit row for each.

MUST 1: the limits of account, address, prefix and the whole are charged before a provider is called.
MUST 2: no message is written to somebody whose second factor is blocked: a code would be of no use.
MUST 3: no log and no audit row has an address or a message's values in it.
MUST 4: a failing channel is followed by the next one; a permanent refusal of an address is not.
MUST 5: a message's language is the account's, not the factor's choice; what is no language tag goes nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.channel import NotSent
from nightlatch.errors import Locked, Unavailable
from nightlatch.model import Changes, DecisionRequest, Result
from nightlatch.watching import Activity, NoWatcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    import structlog

    from nightlatch.channel import Message
    from nightlatch.deliveries import Deliveries
    from nightlatch.factor import Reach
    from nightlatch.limits import Rule
    from nightlatch.model import AuditEvent, Snapshot
    from nightlatch.plugins.channel_facade import ChannelFacade
    from nightlatch.ports import Clock, Store
    from nightlatch.watching import Watcher

PREFIX_LETTERS = 6
"""How much of a number is its prefix where none is configured: "+" and five digits, country and area."""
HOUR = 3600.0
_LANGUAGE = re.compile(r"\s*([A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,4})(?=[\s,;]|$)")
"""A language tag (BCP 47), or the first of several, as LDAP's preferredLanguage may have them (RFC 2798)."""


class TooManyMessages(NotSent):
    """The person's own sending limit is reached. `retry_after` is seconds from now."""

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Budget(Enum):
    """What an account's messages are counted in: changing credentials leaves enough of them to sign in."""

    LOGIN = "send"
    CHANGES = "send/changes"
    RESETS = "send/resets"
    """Anybody can ask for them: they are counted by themselves, in every limit."""


@dataclass(frozen=True, slots=True)
class SendingLimits:
    """The limits that belong to the whole installation, in messages an hour."""

    per_prefix: int = 200
    """To all numbers of one prefix, or to all mailboxes of one domain, that have no limit of their own."""
    in_all: int = 2000
    prefixes: Mapping[str, int] = field(default_factory=dict)
    """By the beginning of a number ("+4179"); the longest that fits counts. 0 for never."""
    domains: Mapping[str, int] = field(default_factory=dict)
    """By a mailbox's domain, in lower case. 0 for never."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """The limit that an address shares with others like it."""

    scope: str
    named: str
    """Those others, in words that do not tell the address."""
    most: int
    """Messages an hour."""


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
        language: str = "en",
        deliveries: Deliveries | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._channels = channels
        self._store = store
        self._clock = clock
        self._key = key
        self._log = log
        self._ceilings = ceilings or SendingLimits()
        self._language = language
        self._deliveries = deliveries
        self._watcher = watcher or NoWatcher()

    async def send(
        self, event: AuditEvent, reach: Reach, message: Message, seconds: float, budget: Budget = Budget.LOGIN
    ) -> None:
        """Send a message that `event`'s account asked for.

        Raises TooManyMessages for the person's own limits, else NotSent, Locked, Unavailable.
        """
        await self._charge(event, reach.address, budget)
        await self.deliver(event, reach, message, seconds)

    async def deliver(self, event: AuditEvent, reach: Reach, message: Message, seconds: float) -> None:
        """Deliver by the first channel that can, without charging anybody; raises NotSent."""
        end = self._clock.steady() + seconds
        message = replace(message, language=self._language_of(event))
        present = [self._channels[name] for name in reach.channels if name in self._channels]
        order = sorted(present, key=lambda channel: channel.rests)
        reason = "no channel is configured"
        for place, channel in enumerate(order):
            left = (end - self._clock.steady()) / (len(order) - place)
            try:
                with self._watcher.during(Activity.MESSAGE, channel.name):
                    receipt = await channel.send(reach.address, message, max(0.1, left))
            except NotSent as error:
                reason = f"{channel.name}: {error.reason}"
                self._log.warning(
                    "message.not_sent", channel=channel.name, reason=error.reason, ref=event.reference
                )
                if error.permanent:
                    break
                continue
            if self._deliveries is not None:
                self._deliveries.expect(channel.name, receipt.provider_id, event)
            await self._record(event, f"sent by {channel.name}, id {receipt.provider_id or 'none'}")
            return
        await self._record(replace(event, result=Result.UNAVAILABLE), reason)
        raise NotSent(reason)

    async def _charge(self, event: AuditEvent, address: str, budget: Budget) -> None:
        shared = self._shared(address)
        if not shared.most:
            self._watcher.blocked("messages")
            reason = f"no message is sent to {shared.named}"
            self._log.warning("message.limited", account=event.account_id, reason=reason)
            await self._record(replace(event, result=Result.LOCKED), f"not sent: {reason}")
            raise NotSent(reason, permanent=True)
        # What strangers can use up is nobody's way to sign in.
        whose = budget.value if budget is Budget.RESETS else Budget.LOGIN.value
        account, destination = f"{budget.value}/{event.account_id}", f"{whose}/to/{self._tag(address)}"
        rules: dict[str, Rule] = {
            account: limits.charge_sends(limits.SENDS_OF_ACCOUNT, " for this account"),
            destination: limits.charge_sends(limits.SENDS_TO_ADDRESS, " to this address"),
            f"{whose}/{shared.scope}": limits.charge_sends(((shared.most, HOUR),), f" to {shared.named}"),
            f"{whose}/all": limits.charge_sends(((self._ceilings.in_all, HOUR),), " in all"),
        }
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

        outcome = await self._store.decide(DecisionRequest((*rules, factor)), body)
        if isinstance(outcome, limits.Blocked):
            self._watcher.blocked("messages")
            self._log.warning("message.limited", account=event.account_id, reason=outcome.reason)
            reason = f"too many messages: {outcome.reason}"
            if outcome.scope in {account, destination}:
                raise TooManyMessages(reason, outcome.retry_after)
            raise NotSent(reason)

    def _shared(self, address: str) -> _Shared:
        """The limit of a number's prefix, or of a mailbox's domain."""
        ceilings = self._ceilings
        if not address.startswith("+"):
            domain = address.rpartition("@")[2].lower()
            most = ceilings.domains.get(domain, ceilings.per_prefix)
            return _Shared(f"prefix/{self._tag(domain)}", "mailboxes of this domain", most)
        longest = max((one for one in ceilings.prefixes if address.startswith(one)), key=len, default="")
        most = ceilings.prefixes.get(longest, ceilings.per_prefix)
        prefix = longest or address[:PREFIX_LETTERS]
        return _Shared(f"prefix/{prefix}", f"numbers that begin with {prefix}", most)

    def _language_of(self, event: AuditEvent) -> str:
        found = _LANGUAGE.match(event.language)
        return found[1] if found else self._language

    def _tag(self, text: str) -> str:
        """A keyed hash: the store holds no address."""
        return hmac.new(self._key, text.casefold().encode(), hashlib.sha256).hexdigest()[:32]

    async def _record(self, event: AuditEvent, reason: str) -> None:
        try:
            await self._store.record(replace(event, reason=reason))
        except Unavailable as error:
            self._log.error("audit.unavailable", ref=event.reference, reason=str(error))
