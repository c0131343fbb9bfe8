"""Calls a channel, for a bounded time, and trusts nothing that comes back.

MUST 1: what it raises is NotSent, and nothing else; a plugin's other exceptions are told by type alone.
MUST 2: nothing is waited for beyond the deadline: a hung provider holds up its own message and no other.
MUST 3: a channel that failed several times in a row is left alone for a while (a circuit breaker), so that
        people behind it are offered another way at once.
MUST 4: what it reports later passes `_checked`, and changes nothing but the audit and the log.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nightlatch.channel import Delivery, DeliveryState, NotSent, Receipt, ReportingChannel
from nightlatch.plugins.answers import printable, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.channel import Channel, ChannelPlugin, Medium, Message

FAILURES = 3
"""Temporary failures in a row after which a channel is left alone."""
PAUSE_SECONDS = 30.0
LONGEST_REASON = 300
LONGEST_ID = 128
LONGEST_ERROR = 32


class ChannelFacade:
    """One configured channel, as the core sees it."""

    def __init__(
        self, name: str, plugin: ChannelPlugin, channel: Channel, steady: Callable[[], float]
    ) -> None:
        self.name = name
        self.kind = plugin.kind
        self.medium: Medium = plugin.medium
        self._channel = channel
        self._steady = steady
        self._failures = 0
        self._closed_until = 0.0

    @property
    def rests(self) -> bool:
        """Whether it is left alone at the moment."""
        return self._steady() < self._closed_until

    async def send(self, address: str, message: Message, seconds: float) -> Receipt:
        """Deliver within `seconds`; raises NotSent."""
        try:
            receipt = await asyncio.wait_for(self._channel.send(address, message, seconds), seconds)
        except NotSent as error:
            self._failed(permanent=error.permanent)
            raise NotSent(printable(error.reason, LONGEST_REASON), permanent=error.permanent) from None
        except TimeoutError:
            self._failed(permanent=False)
            raise NotSent(f"no answer within {seconds:g} s") from None
        except Exception as error:  # noqa: BLE001, a plugin may raise anything
            self._failed(permanent=False)
            raise NotSent(f"the channel raised {type_name(error)}") from None
        self._failures = 0
        if type(receipt) is not Receipt or type(receipt.provider_id) is not str:
            return Receipt()
        return Receipt(printable(receipt.provider_id, LONGEST_ID))

    def report_to(self, take: Callable[[str, Delivery], None]) -> None:
        """Pass on what the channel reports later, with its name; most channels report nothing.

        Raises whatever the plugin raises.
        """
        channel = self._channel

        def checked(delivery: object) -> None:
            found = _checked(delivery)
            if found is not None:
                take(self.name, found)

        if isinstance(channel, ReportingChannel):
            channel.report_to(checked)

    async def close(self) -> None:
        """Let go of its connections."""
        await self._channel.close()

    def _failed(self, *, permanent: bool) -> None:
        """Count what the provider did wrong; a bad address is not the provider's fault."""
        if permanent:
            return
        self._failures += 1
        if self._failures >= FAILURES:
            self._closed_until = self._steady() + PAUSE_SECONDS
            self._failures = 0


def _checked(delivery: object) -> Delivery | None:
    """A report as a bounded one of our own; None for what is none."""
    if type(delivery) is not Delivery or type(delivery.state) is not DeliveryState:
        return None
    if type(delivery.provider_id) is not str or type(delivery.error) is not str or not delivery.provider_id:
        return None
    return Delivery(
        printable(delivery.provider_id, LONGEST_ID), delivery.state, printable(delivery.error, LONGEST_ERROR)
    )
