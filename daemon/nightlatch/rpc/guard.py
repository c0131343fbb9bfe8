"""Stands in front of every method of every service: may this caller call it, and is it not too much.

MUST 1: no handler runs before the caller is known and has the right to this very method.
MUST 2: what one client may have under way and ask for in a second is bounded; the others do not notice.
MUST 3: rights are those of now, also in the middle of a long answer: a session's, and a configuration's.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc

from nightlatch.errors import Locked, SessionEnded, Unavailable
from nightlatch.rpc.access import AccessLog, NoCallWatcher
from nightlatch.rpc.caller import Caller, Unidentified
from nightlatch.rpc.rights import right_to
from nightlatch.rpc.roles import OF_NOBODY
from nightlatch.rpc.sparing import SparingLog
from nightlatch.rpc.status import DETAILS, RETRY_SECONDS, details_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    import structlog

    from nightlatch.rpc.access import CallWatcher
    from nightlatch.rpc.caller import CallerAddresses
    from nightlatch.rpc.shield import Shield

    Context = grpc.aio.ServicerContext[Any, Any]
    Handler = grpc.RpcMethodHandler[Any, Any]


LOOKED_AT_EVERY = 5.0
"""Seconds after which it is asked again whether who gets a long answer still may."""


class _Load:
    """What one client has under way, and how much it may still ask for: a bucket of one second's requests."""

    def __init__(self) -> None:
        self.under_way = 0
        self._left = 0.0
        self._filled_at: float | None = None

    def too_much(self, caller: Caller, now: float) -> str:
        """Take one request out of the bucket; why it is one too many, or nothing."""
        rights = caller.rights
        if rights.concurrent is not None and self.under_way >= rights.concurrent:
            return f"{caller.name} may have {rights.concurrent} calls under way"
        if rights.requests_per_second is None:
            return ""
        most = float(rights.requests_per_second)
        since = most if self._filled_at is None else (now - self._filled_at) * most
        self._left, self._filled_at = min(most, self._left + since), now
        if self._left < 1:
            return f"{caller.name} may make {rights.requests_per_second} calls a second"
        self._left -= 1
        return ""


class Guard:
    """Knows the callers, and what each client has under way. One for all listeners."""

    def __init__(
        self,
        addresses: CallerAddresses,
        steady: Callable[[], float],
        log: structlog.stdlib.BoundLogger,
        watcher: CallWatcher | None = None,
        *,
        logs_calls: bool = True,
        shield: Shield | None = None,
    ) -> None:
        """`watcher` hears of every call; `logs_calls` for a line in the log for each."""
        self.shield = shield
        self.accesses = AccessLog(addresses, steady, log if logs_calls else None, watcher or NoCallWatcher())
        self._addresses = addresses
        self.steady = steady
        self._log = SparingLog(log)
        self._loads: dict[str, _Load] = {}

    def before(self, server: grpc.aio.Server) -> GuardedServer:
        """The server to register services with, so that every method of theirs is guarded."""
        return GuardedServer(self, server)

    async def enter(self, method: str, context: Context, known: Caller | None = None) -> _Load:
        """Let a call in, or end it; whoever was let in leaves by taking one from `under_way`."""
        caller = await self.permitted(method, context, known)
        load = self._loads.setdefault(str(caller), _Load())
        wrong = load.too_much(caller, self.steady())
        if wrong:
            self._log.warning("call.too_many", caller=str(caller), reason=wrong)
            code, text = grpc.StatusCode.RESOURCE_EXHAUSTED, f"{wrong}. Try again in a moment."
            details = details_of(Locked(wrong, RETRY_SECONDS), code, text)
            await context.abort(code, text, trailing_metadata=((DETAILS, details),))
        load.under_way += 1
        return load

    async def permitted(self, method: str, context: Context, known: Caller | None = None) -> Caller:
        """Who calls, and may call this method now; ends the call of anybody else. `known` from just now."""
        caller = await self._caller(context, known)
        if not caller.may(method):
            self._log.warning("call.denied", caller=str(caller), method=method)
            await context.abort(
                grpc.StatusCode.PERMISSION_DENIED,
                f"{caller.name} has no right to {method}. {_remedy(caller, method)}",
            )
        return caller

    async def _caller(self, context: Context, known: Caller | None) -> Caller:
        """Who calls, with the rights of now (MUST 3); ends the call of somebody who has none any more."""
        try:
            caller = known or self._addresses.caller(context.peer())
        except Unidentified as error:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, str(error))
        if caller.until is None:
            return caller
        if self.steady() >= caller.until:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "Your session has ended. Sign in again.")
        try:
            rights = caller.rights if caller.rights_now is None else await caller.rights_now()
        except SessionEnded as error:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, str(error))
        except Unavailable as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        if rights != caller.rights:
            caller = replace(caller, rights=rights)
            self._addresses.become(context.peer(), caller)
        return caller


class GuardedServer:
    """What generated code registers services with: wraps each handler, then hands it on."""

    def __init__(self, guard: Guard, server: grpc.aio.Server) -> None:
        self._guard = guard
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Register handlers that find the method by its name."""
        self._server.add_generic_rpc_handlers(tuple(_Guarded(self._guard, one) for one in handlers))

    def add_registered_method_handlers(self, service_name: str, method_handlers: dict[str, Handler]) -> None:
        """The same methods once more, by a quicker way that would lead past the guard: not taken."""


class _Guarded(grpc.GenericRpcHandler):
    """Finds a method's handler, and puts the guard in front of it, once for each method."""

    def __init__(self, guard: Guard, inner: grpc.GenericRpcHandler) -> None:
        self._guard = guard
        self._inner = inner
        self._wrapped: dict[str, Handler] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """The guarded handler; None for a method that is not here."""
        method = handler_call_details.method
        known = self._wrapped.get(method)
        if known is None:
            handler = self._inner.service(handler_call_details)
            if handler is None:
                return None
            known = self._wrapped[method] = _wrap(self._guard, method, handler)
        return known


def _wrap(guard: Guard, method: str, handler: Handler) -> Handler:
    coders = {
        "request_deserializer": handler.request_deserializer,
        "response_serializer": handler.response_serializer,
    }
    if handler.unary_unary:
        inner = handler.unary_unary
        if guard.shield is not None:
            inner = guard.shield.before(method, inner)
        return grpc.unary_unary_rpc_method_handler(_answering(guard, method, inner), **coders)
    if handler.unary_stream:
        return grpc.unary_stream_rpc_method_handler(_telling(guard, method, handler.unary_stream), **coders)
    if handler.stream_stream:
        return grpc.stream_stream_rpc_method_handler(_telling(guard, method, handler.stream_stream), **coders)
    raise TypeError(f"{method} is of a kind that no service here has")


def _answering(guard: Guard, method: str, inner: Any) -> Any:  # noqa: ANN401, gRPC's own types vary
    async def guarded(request: object, context: Context) -> object:
        with guard.accesses.of(method, context) as access:
            load = await guard.enter(method, context, access.caller)
            access.admitted = True
            try:
                return await inner(request, context)
            finally:
                load.under_way -= 1

    return guarded


def _telling(guard: Guard, method: str, inner: Any) -> Any:  # noqa: ANN401, gRPC's own types vary
    """For methods that answer more than once, by yielding or by writing to the context."""
    if inspect.isasyncgenfunction(inner):

        async def yielding(request: object, context: Context) -> AsyncIterator[object]:
            with guard.accesses.of(method, context) as access:
                load = await guard.enter(method, context, access.caller)
                access.admitted = True
                looked_at = guard.steady()
                try:
                    async for answer in inner(request, context):
                        if guard.steady() - looked_at >= LOOKED_AT_EVERY:
                            await guard.permitted(method, context)
                            looked_at = guard.steady()
                        yield answer
                finally:
                    load.under_way -= 1

        return yielding
    return _answering(guard, method, inner)


def _remedy(caller: Caller, method: str) -> str:
    if caller.kind == "client":
        return f'An administrator gives it, by "{right_to(method)}" in methods of its [[clients]] table.'
    if caller.kind != "admin":
        return "This listener does not offer it."
    if caller.rights == OF_NOBODY:
        return "Sign in first: nightlatch admin login NAME"
    return "It is for another role: see [[roles]] in the configuration."
