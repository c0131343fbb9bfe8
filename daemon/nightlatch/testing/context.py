"""The world as a factor under test sees it: a given time, repeatable randomness, and a recording post."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field

from nightlatch.factor import Message, NotSent


class Repeatable:
    """Randomness that repeats for one seed: `nightlatch.ports.Randomness` for tests."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._drawn = 0

    def bytes(self, count: int) -> bytes:
        """The next `count` bytes."""
        self._drawn += 1
        return hashlib.shake_256(self._seed + self._drawn.to_bytes(8, "big")).digest(count)

    def apart(self, name: str) -> Repeatable:
        """Randomness of its own, that repeats for this seed and a name, whatever was drawn here."""
        return Repeatable(f"{self._seed.decode()}/{name}")


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that a factor sent."""

    channels: tuple[str, ...]
    address: str = field(repr=False)
    message: Message


@dataclass(frozen=True, slots=True)
class KitContext:
    """`nightlatch.factor.SendingContext` that records what is sent, or refuses it."""

    now: float
    deadline: float
    randomness: Repeatable = field(repr=False)
    memo: bytes = field(default=b"", repr=False)
    service: str = ""
    outbox: list[Sent] = field(default_factory=list, repr=False)
    refuses: bool = False
    """Whether nothing can leave."""
    dialogue: bool = False

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes that repeat."""
        return self.randomness.bytes(count)

    async def send(self, channels: tuple[str, ...], address: str, message: Message) -> None:
        """Record a message, after giving way as a provider does; raises NotSent where nothing can leave."""
        await asyncio.sleep(0)
        if self.refuses:
            raise NotSent("the contract suite lets nothing leave here")
        self.outbox.append(Sent(channels, address, message))
