"""Verdicts of factors whose `verify` is slow: worked out before the decision, never while the store waits.

MUST 1: nothing is worked out before a decision has asked for it, which its limiter did not stop; see
        `nightlatch.ports.WorkFirst`.
MUST 2: a verdict counts for the state, memo and answer that it was worked out for, and no others.
MUST 3: at most `MOST_AT_ONCE` calls of one factor run at a time, those that hang included.
MUST 4: a verdict, and the answer in it, is forgotten when its decision is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from typing import TYPE_CHECKING, NamedTuple

from nightlatch.errors import Unavailable
from nightlatch.ports import WorkFirst

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.factor import Verdict

MOST_AT_ONCE = 4
"""With argon2id as recovery codes take it: 76 MiB."""


def at_once() -> int:
    """How many calls of one factor may run: on half of the cores, so that the others go on deciding."""
    return max(1, min(MOST_AT_ONCE, len(os.sched_getaffinity(0)) // 2))


class Question(NamedTuple):
    """What a verdict depends on."""

    state: bytes
    memo: bytes
    answer: str

    def __repr__(self) -> str:
        """Say nothing about the content."""
        return "Question(…)"


class SlowVerdicts:
    """The verdicts of one factor that decisions wait for."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._free = asyncio.Semaphore(at_once())
        self._known: dict[Question, Verdict] = {}

    def verdict(self, question: Question, call: Callable[[], Verdict]) -> Verdict:
        """The verdict that was worked out by `call`, or WorkFirst, which does it; in a decision."""
        verdict = self._known.get(question)
        if verdict is not None:
            return verdict

        async def work() -> Callable[[], None]:
            self._known[question] = await self._in_a_thread(call)
            return lambda: self._forget(question)

        raise WorkFirst(work)

    def _forget(self, question: Question) -> None:
        self._known.pop(question, None)

    async def _in_a_thread(self, call: Callable[[], Verdict]) -> Verdict:
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Verdict] = loop.create_future()

        def tell(verdict: Verdict | None, error: Exception | None) -> None:
            self._free.release()  # here, and not when the caller goes: the thread ran until now
            if outcome.done():
                return
            if verdict is None:
                outcome.set_exception(error or Unavailable(f"factor {self._name}", "gave no verdict"))
            else:
                outcome.set_result(verdict)

        def run() -> None:
            verdict, failure = None, None
            try:
                verdict = call()
            except Exception as error:  # noqa: BLE001  # the caller gets it
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody listens any more
                loop.call_soon_threadsafe(tell, verdict, failure)

        try:
            # A thread each, which ends with the daemon: one that hangs must not hold up its stop.
            threading.Thread(target=run, name=f"verify-{self._name}", daemon=True).start()
        except RuntimeError as error:
            self._free.release()
            raise Unavailable(f"factor {self._name}", "no thread can be started") from error
        return await outcome
