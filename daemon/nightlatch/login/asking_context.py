"""What a factor may use when it asks: `nightlatch.factor.SendingContext`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from nightlatch.channel import NotSent
from nightlatch.errors import Locked, Unavailable
from nightlatch.factor import Reach
from nightlatch.sending import Budget, TooManyMessages

if TYPE_CHECKING:
    from nightlatch.channel import Message
    from nightlatch.model import AuditEvent
    from nightlatch.ports import Randomness


MARGIN_SECONDS = 1.0


class Sends(Protocol):
    """Whoever takes a factor's messages: `nightlatch.sending.Sender`, or one that sends them later."""

    async def send(
        self, event: AuditEvent, reach: Reach, message: Message, seconds: float, budget: Budget
    ) -> None:
        """Send a message; raises NotSent, Locked, Unavailable."""


@dataclass(slots=True)
class AskingContext:
    """One challenge. `stopped` tells what really stopped a message: a plugin hears no more than NotSent."""

    now: float
    deadline: float
    memo: bytes = field(repr=False)
    service: str
    randomness: Randomness = field(repr=False)
    sender: Sends = field(repr=False)
    event: AuditEvent
    """The audit row of what is sent, and whose language it has."""
    budget: Budget = Budget.LOGIN
    dialogue: bool = False
    stopped: Locked | Unavailable | TooManyMessages | None = None

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes from the daemon's source."""
        return self.randomness.bytes(count)

    async def send(self, channels: tuple[str, ...], address: str, message: Message) -> None:
        """Send within the limits and the deadline; raises NotSent."""
        try:
            # The factor has to hear of a failure before its own time is over, to let another way be offered.
            seconds = max(0.1, self.deadline - self.now - MARGIN_SECONDS)
            await self.sender.send(self.event, Reach(channels, address), message, seconds, self.budget)
        except TooManyMessages as error:
            self.stopped = error
            raise NotSent(error.reason) from None
        except (Locked, Unavailable) as error:
            self.stopped = error
            raise NotSent("the daemon can not send just now") from None
