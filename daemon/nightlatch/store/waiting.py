"""What waits for a thread of the store, and how its caller gets to know the outcome."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from nightlatch.errors import Unavailable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from nightlatch.model import Changes, DecisionRequest, Snapshot


class Pending:
    """An outcome to come. A thread of the store writes it with `succeed` or `fail`, then settles it."""

    __slots__ = ("_failure", "_result", "future", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self._result: object = None
        self._failure: BaseException | None = Unavailable("store", "there was no outcome")

    def succeed(self, result: object) -> None:
        """What came out."""
        self._result = result
        self._failure = None

    def fail(self, error: BaseException) -> None:
        """Why nothing came out."""
        self._result = None
        self._failure = error

    def deliver(self) -> None:
        """Tell the caller; in the caller's loop."""
        if self.future.done():
            return  # the caller went away, or was told that it took too long
        error = self._failure
        if error is None:
            self.future.set_result(self._result)
        elif isinstance(error, Exception) and not isinstance(error, StopIteration):
            self.future.set_exception(error)
        else:
            # A future takes no StopIteration, and SystemExit would end the daemon.
            odd = Unavailable("store", f"the decision ended with {type(error).__name__}")
            odd.__cause__ = error
            self.future.set_exception(odd)


class Waiting(Pending):
    """A decision that waits for the writer; it is not begun after `due`, in seconds of the steady clock."""

    __slots__ = ("body", "due", "request")

    def __init__(
        self,
        request: DecisionRequest,
        body: Callable[[Snapshot], tuple[Changes, Any]],
        loop: asyncio.AbstractEventLoop,
        due: float,
    ) -> None:
        super().__init__(loop)
        self.request = request
        self.body = body
        self.due = due


def settle(pending: Iterable[Pending]) -> None:
    """Tell the callers of a whole group, with one wake-up for each loop among them."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Pending]] = {}
    for one in pending:
        by_loop.setdefault(one.loop, []).append(one)
    for loop, theirs in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody listens any more
            loop.call_soon_threadsafe(_deliver, theirs)


def _deliver(pending: list[Pending]) -> None:
    for one in pending:
        one.deliver()
