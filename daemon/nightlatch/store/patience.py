"""Takes decisions that need something slow worked out first: `nightlatch.ports.WorkFirst`.

MUST 1: each work was asked for by the decision's own body, so behind the limiter that the body has charged,
        and one account has one decision at work at a time: guesses side by side cost no more than the
        limiter lets through, and one that was blocked meanwhile costs nothing (REC-03).
MUST 2: a caller who goes away does not stop the decision: what was begun is charged.
MUST 3: every wait has an end, and what ends so is unavailable.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

from nightlatch.errors import Unavailable
from nightlatch.ports import WorkFirst

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

LONGEST_WORK = 10.0
"""How long a decision may take with all that it waits for, in seconds."""
MOST_WORKS = 8
"""How often one decision may ask: for each credential that the answer may fit, and for each new state."""


class Patience:
    """The decisions of one store that are at work."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[tuple[asyncio.AbstractEventLoop, str], asyncio.Lock] = (
            WeakValueDictionary()
        )
        self._running: set[asyncio.Task[object]] = set()

    async def decide(self, account_id: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """The outcome of `attempt`, with as much work before it as it asks for; raises Unavailable."""
        try:
            return await attempt()
        except WorkFirst:
            pass  # it is asked again when it is this account's turn
        task = asyncio.ensure_future(self._patiently(account_id, attempt))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _patiently(self, account_id: str, attempt: Callable[[], Awaitable[T]]) -> T:
        endings: list[Callable[[], None]] = []
        try:
            async with asyncio.timeout(LONGEST_WORK), self._turn(account_id):
                for _ in range(MOST_WORKS):
                    try:
                        return await attempt()
                    except WorkFirst as first:
                        endings.append(await first.work())
                return await attempt()
        except TimeoutError:
            raise Unavailable("store", "what a decision waits for took too long") from None
        except WorkFirst:
            raise Unavailable("store", "a decision asks for ever more to be worked out") from None
        finally:
            for ending in endings:
                ending()

    def _turn(self, account_id: str) -> asyncio.Lock:
        key = (asyncio.get_running_loop(), account_id)
        turn = self._turns.get(key)
        if turn is None:
            turn = self._turns[key] = asyncio.Lock()
        return turn
