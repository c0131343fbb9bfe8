"""The real clock and the real randomness, handed to all that need them."""

from __future__ import annotations

import asyncio
import os
import time


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()  # noqa: TID251, the one place that reads the clock

    def steady(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let that much time go by, while others work."""
        await asyncio.sleep(seconds)


class SystemRandomness:
    """The kernel's cryptographic randomness (getrandom(2))."""

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""
        return os.urandom(count)  # noqa: TID251, the one place that draws randomness
