"""One line in the log for each call, and word of it to whoever counts and traces calls.

MUST 1: nothing of a request or an answer is in it, but for the login's reference (LEK-01).
MUST 2: who was turned away before a handler ran can not fill the log: the guard's own lines, which are few a
        second, tell of them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol, Self

import grpc

from nightlatch.rpc.caller import Unidentified
from nightlatch.rpc.rights import HEALTH, REFLECTION

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    import structlog

    from nightlatch.rpc.caller import Caller, CallerAddresses

    Context = grpc.aio.ServicerContext[Any, Any]

_CODES = {code.value[0]: code.name for code in grpc.StatusCode}
_OURS = "/nightlatch.v1."
_FREQUENT = (f"/{HEALTH.full_name}/", f"/{REFLECTION.full_name}/")
"""Asked by load balancers every few seconds."""
_TRACEPARENT = "traceparent"


class WatchedCall(Protocol):
    """A call that somebody watches."""

    reference: str
    """The login that it turned out to belong to; empty for none."""

    def over(self, code: str, seconds: float) -> None:
        """It was answered with that status code."""


class CallWatcher(Protocol):
    """Whoever watches calls."""

    @property
    def follows(self) -> bool:
        """Whether it wants to know what traces calls belong to."""

    def call(self, method: str, caller: str, traceparent: str) -> WatchedCall:
        """A call has come in; `traceparent` is what an application sent (W3C Trace Context), or empty."""


class AccessLog:
    """Tells of calls, in the log and to the watcher."""

    def __init__(
        self,
        addresses: CallerAddresses,
        steady: Callable[[], float],
        log: structlog.stdlib.BoundLogger | None,
        watcher: CallWatcher,
    ) -> None:
        """Without `log`, nothing is written."""
        self.addresses = addresses
        self.steady = steady
        self.log = log
        self.watcher = watcher

    def of(self, method: str, context: Context) -> Access:
        """A call of `method`, to be entered and left."""
        return Access(self, method, context)


class Access:
    """One call, from coming in to its answer."""

    __slots__ = ("_began", "_call", "_context", "_method", "_owner", "_told", "admitted", "caller")

    def __init__(self, owner: AccessLog, method: str, context: Context) -> None:
        self._owner = owner
        self._method = method
        self._context = context
        self.admitted = False
        """Whether a handler was let near it."""
        self.caller: Caller | None = None
        """Who calls, once entered; None for nobody that is known."""

    def __enter__(self) -> Self:
        owner, traceparent = self._owner, ""
        self._began = owner.steady()
        told = ""
        try:
            caller = self.caller = owner.addresses.caller(self._context.peer())
        except Unidentified:
            self._told = "nobody"
        else:
            self._told = str(caller)
            told = caller.kind
            if caller.kind == "client":
                told = self._told
                if owner.watcher.follows:  # to read what was sent costs as much as the rest of this
                    traceparent = _sent(self._context, _TRACEPARENT)
        # Who uses a unix socket is a person, or the host's: that goes to the log alone.
        self._call = owner.watcher.call(self._method.removeprefix(_OURS).lstrip("/"), told, traceparent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        code = _code(self._context, kind)
        seconds = self._owner.steady() - self._began
        self._call.over(code, seconds)
        log = self._owner.log
        if log is None or not self.admitted:
            return
        tell = log.debug if self._method.startswith(_FREQUENT) else log.info
        tell(
            "call.ended",
            method=self._method.removeprefix(_OURS).lstrip("/"),
            caller=self._told,
            code=code,
            ms=round(seconds * 1000, 2),
            ref=self._call.reference or None,
        )


class _UnwatchedCall:
    def __init__(self) -> None:
        self.reference = ""

    def over(self, code: str, seconds: float) -> None:
        """Keep nothing."""


class NoCallWatcher:
    """Watches nothing."""

    follows = False

    def call(self, _method: str, _caller: str, _traceparent: str) -> WatchedCall:
        """Keep nothing."""
        return _UnwatchedCall()


def _code(context: Context, kind: type[BaseException] | None) -> str:
    """The status code that the caller gets, by name."""
    if kind is not None and issubclass(kind, asyncio.CancelledError):
        return grpc.StatusCode.CANCELLED.name
    number: Any = context.code()  # a number, whatever its type says (grpcio 1.80)
    if not number:
        return grpc.StatusCode.OK.name if kind is None else grpc.StatusCode.UNKNOWN.name
    return number.name if isinstance(number, grpc.StatusCode) else _CODES.get(number, "UNKNOWN")


def _sent(context: Context, name: str) -> str:
    """The one value that was sent under a name; empty for none, and where there are several."""
    values = [value for key, value in context.invocation_metadata() or () if key == name]
    return values[0] if len(values) == 1 and isinstance(values[0], str) else ""
