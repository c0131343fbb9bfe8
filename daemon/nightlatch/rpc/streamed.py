"""Methods that answer in pieces, with the table of `nightlatch.rpc.status`."""

from __future__ import annotations

import functools
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

from nightlatch.rpc.status import mapped

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from nightlatch.rpc.caller import Caller

T = TypeVar("T")


async def _next(_service: Any, messages: AsyncIterator[T], _context: Any) -> T | None:  # noqa: ANN401, gRPC's own types vary
    return await anext(messages, None)


async def _caller(service: Any, _request: Any, context: Any) -> Caller:  # noqa: ANN401, gRPC's own types vary
    found: Caller = service.addresses.caller(context.peer())
    return found


_mapped_next = mapped(_next)
_mapped_caller = mapped(_caller)


def streamed(
    method: Callable[[Any, Any, Caller], AsyncGenerator[T, None]],
) -> Callable[[Any, Any, Any], AsyncGenerator[T, None]]:
    """Give a method that yields messages its caller, and the table of status codes, as `answered` does."""

    @functools.wraps(method)
    async def wrapped(self: Any, request: Any, context: Any) -> AsyncGenerator[T, None]:  # noqa: ANN401, gRPC's own types vary
        caller = await _mapped_caller(self, request, context)
        async with aclosing(method(self, request, caller)) as messages:
            while (message := await _mapped_next(self, messages, context)) is not None:
                yield message

    return wrapped
