"""Makes metrics and traces of what the daemon tells of its work, and knows which call is under way.

MUST 1: it raises nothing into a login, and changes nothing of one.
MUST 2: a caller's trace context joins spans, and gives no right to anything.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol, Self

from nightlatch.telemetry.results import OK, result_of
from nightlatch.watching import Activity, NoWatcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from nightlatch.telemetry.metrics import Metrics
    from nightlatch.watching import Ending, Timing

CALL = "call"
_UNDER_WAY: ContextVar[Call | None] = ContextVar("call", default=None)


class Span(Protocol):
    """A piece of a trace that has begun."""

    def end(self, result: str, reference: str) -> None:
        """It is over."""


class Spans(Protocol):
    """Whoever keeps traces."""

    def call(self, method: str, caller: str, traceparent: str) -> Span:
        """A call has come in; `traceparent` is its caller's (W3C Trace Context), or empty."""

    def part(self, activity: Activity, labels: tuple[str, ...]) -> Span | None:
        """A part of the call under way has begun; None where there is no such call."""

    def close(self) -> None:
        """Send what waits, for a bounded time. Blocks."""


class Call:
    """A gRPC call under way."""

    __slots__ = ("_owner", "_span", "method", "reference")

    def __init__(self, owner: Telemetry, method: str, span: Span | None) -> None:
        self._owner = owner
        self._span = span
        self.method = method
        self.reference = ""
        """The login that it belongs to."""
        _UNDER_WAY.set(self)

    def over(self, code: str, seconds: float) -> None:
        """It was answered with that status code."""
        _UNDER_WAY.set(None)
        self._owner.call_over(self.method, code, seconds)
        if self._span is not None:
            self._span.end(code, self.reference)


class _Timed:
    """One activity; see `nightlatch.watching.Timing`. In the middle of every login, so it calls little."""

    __slots__ = ("_activity", "_began", "_labels", "_owner", "_span", "_what", "result")

    def __init__(self, owner: Telemetry, activity: Activity, labels: tuple[str, ...]) -> None:
        self._owner = owner
        self._activity = activity
        self._what = activity.value
        self._labels = labels
        self.result = OK

    def __enter__(self) -> Self:
        owner = self._owner
        owner.under_way[self._what] += 1
        self._span = None if owner.spans is None else owner.spans.part(self._activity, self._labels)
        self._began = owner.steady()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        owner = self._owner
        owner.under_way[self._what] -= 1
        result = self.result if kind is None else result_of(kind)
        if owner.metrics is not None:
            owner.metrics.timed((self._what, *self._labels, result), owner.steady() - self._began)
        if self._span is not None:
            call = _UNDER_WAY.get()
            self._span.end(result, call.reference if call is not None else "")


class Telemetry:
    """Implements `nightlatch.watching.Watcher`, and what the store and the listeners want to tell."""

    def __init__(
        self, steady: Callable[[], float], metrics: Metrics | None = None, spans: Spans | None = None
    ) -> None:
        self.steady = steady
        self.metrics = metrics
        self.spans = spans
        self._untimed = NoWatcher() if metrics is None and spans is None else None
        """Where nothing is kept, nothing is measured."""
        self.under_way: dict[str, int] = dict.fromkeys((CALL, *(one.value for one in Activity)), 0)
        """How much of each kind has begun and is not over."""

    @property
    def follows(self) -> bool:
        """Whether traces are kept: then it matters which one a call belongs to."""
        return self.spans is not None

    def call(self, method: str, caller: str, traceparent: str) -> Call:
        """A call has come in, by its method ("LoginService/BeginLogin") and caller ("client portal")."""
        self.under_way[CALL] += 1
        span = self.spans.call(method, caller, traceparent) if self.spans is not None else None
        return Call(self, method, span)

    def call_over(self, method: str, code: str, seconds: float) -> None:
        """A call was answered."""
        self.under_way[CALL] -= 1
        if self.metrics is not None:
            self.metrics.timed((CALL, method, code), seconds)

    def during(self, activity: Activity, name: str, call: str = "") -> Timing:
        """Time an activity."""
        if self._untimed is not None:
            return self._untimed.during(activity, name, call)
        return _Timed(self, activity, (name, call) if call else (name,) if name else ())

    def about(self, reference: str) -> None:
        """Remember which login the call under way belongs to."""
        call = _UNDER_WAY.get()
        if call is not None:
            call.reference = reference

    def ended(self, ending: Ending) -> None:
        """Count a login or a verification."""
        if self.metrics is not None:
            self.metrics.ended(ending)

    def proof(self, factor: str, result: str) -> None:
        """Count a proof."""
        if self.metrics is not None:
            self.metrics.proof(factor, result)

    def blocked(self, limit: str) -> None:
        """Count what the limiter has turned away."""
        if self.metrics is not None:
            self.metrics.blocked(limit)

    def committed(self, decisions: int, seconds: float) -> None:
        """Count a commit of the store. Called by its thread."""
        if self.metrics is not None:
            self.metrics.committed(decisions, seconds)

    def close(self) -> None:
        """Let go of what traces are sent by. Blocks for a bounded time."""
        if self.spans is not None:
            self.spans.close()
