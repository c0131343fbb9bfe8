"""Methods that answer in pieces, with the table of `nightlatch.rpc.status`."""

from __future__ import annotations

import functools
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

from nightlatch.rpc.status import answered

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

T = TypeVar("T")


async def _next(_service: Any, messages: AsyncIterator[T], _context: Any) -> T | None:  # noqa: ANN401, gRPC's own types vary
    return await anext(messages, None)


_answered_next = answered(_next)


def streamed(
    method: Callable[[Any, Any, Any], AsyncGenerator[T, None]],
) -> Callable[[Any, Any, Any], AsyncGenerator[T, None]]:
    """Give a method that yields messages the table of status codes. The service has its logger as `log`."""

    @functools.wraps(method)
    async def wrapped(self: Any, request: Any, context: Any) -> AsyncGenerator[T, None]:  # noqa: ANN401, gRPC's own types vary
        async with aclosing(method(self, request, context)) as messages:
            while (message := await _answered_next(self, messages, context)) is not None:
                yield message

    return wrapped
