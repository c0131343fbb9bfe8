"""The contract of a channel: a way for a message to leave, such as an SMTP server or an SMS gateway.

A plugin imports this module (and `nightlatch.factor`, if it brings factors) and nothing else of nightlatch.
It declares its channels from the hook `nightlatch_channels`, each as a `ChannelPlugin`.

A channel delivers one message to one address, once. Who may be written to, how often, and which channel is
next when one fails, is the daemon's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from nightlatch.plugin import Settings, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "Channel",
    "ChannelPlugin",
    "Delivery",
    "DeliveryState",
    "Medium",
    "Message",
    "NotSent",
    "Receipt",
    "ReportingChannel",
    "Settings",
    "hookimpl",
]


class Medium(Enum):
    """What kind of address a channel takes."""

    MAILBOX = "a mailbox"
    PHONE = "a phone number"


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be said, before it has words. The channel finds the template and the language's words."""

    template: str
    """The template's name: "login_code", "enrollment_code", "emergency_code", "notice_…"."""
    values: Mapping[str, str] = field(repr=False)
    """What the template may use. May hold a code: never log it."""
    language: str = "en"
    """The person's language, a BCP 47 tag; set by the daemon. A channel without it uses English."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A provider has taken the message."""

    provider_id: str = ""
    """The provider's own id for it, without secrets and without the address; for the audit, and for what the
    provider reports later. With commas between them, where one message has several."""


class DeliveryState(Enum):
    """What became of a message that a provider had taken."""

    UNDER_WAY = "under way"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    REJECTED = "rejected"
    DELETED = "deleted"
    UNKNOWN = "unknown"
    """The provider reports a state, and it is none of these."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a provider reports of one message, later. It changes nothing: the daemon writes it down."""

    provider_id: str
    """An id that a `Receipt` had."""
    state: DeliveryState
    error: str = ""
    """The provider's own error code, such as "011"; empty when there was none."""


class NotSent(Exception):
    """The message did not leave. `reason` is in the provider's words, without the message's values.

    `permanent` says that this address or message will never pass here, so that no other try is made with it.
    """

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


class Channel(Protocol):
    """Delivers messages. Calls come in parallel; a hung provider must not hold up other calls."""

    async def send(self, address: str, message: Message, deadline: float) -> Receipt:
        """Deliver within `deadline` seconds from now; raises NotSent. Cancelled when the deadline is over.

        `address` is one of the channel's medium: E.164 for SMS ("+14155550100"), an ASCII mailbox for email,
        without control characters.
        """

    async def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class ReportingChannel(Protocol):
    """A channel that hears later what became of a message may have this method, too."""

    def report_to(self, take: Callable[[Delivery], None]) -> None:
        """Call `take` for each report, in the event loop; called once, before the first message is sent."""


@dataclass(frozen=True, slots=True)
class ChannelPlugin:
    """A kind of channel as a plugin declares it."""

    kind: str
    """The word in ``[channels.NAME] kind = "…"``: lower case letters, digits, underscores."""
    medium: Medium
    settings: type[Settings]
    """The model of its table, without `kind`."""
    build: Callable[[Settings], Channel]
    """Makes the channel from its checked settings; called once, at start. Opens no connection yet."""
