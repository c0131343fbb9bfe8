"""Traces by OpenTelemetry, sent as OTLP over HTTP. Needs the extra "tracing", and is loaded only for it.

MUST 1: a span has the words of `nightlatch.watching` and a login's reference: nobody's name, no secret
        (LEK-01).
MUST 2: a collector that is slow or away costs memory up to a bound, then spans, and never a login.
MUST 3: of a caller's trace context only its ids are taken: it does not decide what is recorded here.
"""

from __future__ import annotations

import threading
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from nightlatch.watching import Activity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.util.types import AttributeValue

EXPORT_SECONDS = 2
CLOSING_SECONDS = 3.0
MOST_WAITING = 2048
"""Spans that wait for the collector; further ones are dropped."""
SENT_TOGETHER = 512
SEND_EVERY_MS = 1000
_LONGEST_TRACEPARENT = 55
_NAMES: Mapping[Activity, tuple[str, ...]] = {
    Activity.STEP: ("nightlatch.step",),
    Activity.DIRECTORY: ("nightlatch.directory", "nightlatch.directory.call"),
    Activity.DECISION: (),
    Activity.MESSAGE: ("nightlatch.channel",),
}
_FAILURES = frozenset({"unavailable", "failed", "not_sent", "UNAVAILABLE", "INTERNAL", "UNKNOWN"})


class OpenSpan:
    """A span that has begun; see `nightlatch.telemetry.telemetry.Span`."""

    __slots__ = ("_attribute", "_before", "_span")

    def __init__(self, span: trace.Span, attribute: str) -> None:
        self._span = span
        self._attribute = attribute
        self._before = context.get_current()
        context.attach(trace.set_span_in_context(span, self._before))

    def end(self, result: str, reference: str) -> None:
        """It is over."""
        context.attach(self._before)
        self._span.set_attribute(self._attribute, result)
        if reference:
            self._span.set_attribute("nightlatch.reference", reference)
        if result in _FAILURES:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class OpenTelemetrySpans:
    """Implements `nightlatch.telemetry.telemetry.Spans`. Safe to make after a fork, not before."""

    def __init__(self, endpoint: str, sampled: float) -> None:
        """`endpoint` is a collector's OTLP/HTTP URL; `sampled` the share of traces that are kept, 0 to 1."""
        share = TraceIdRatioBased(sampled)
        self._provider = TracerProvider(
            # A caller's word on sampling is not taken (MUST 3); within this process, a trace is whole.
            sampler=ParentBased(share, remote_parent_sampled=share, remote_parent_not_sampled=share),
            resource=Resource({"service.name": "nightlatch", "service.version": version("nightlatch")}),
            shutdown_on_exit=False,
            span_limits=SpanLimits(max_span_attributes=16, max_span_attribute_length=128),
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(endpoint, timeout=EXPORT_SECONDS),
                max_queue_size=MOST_WAITING,
                schedule_delay_millis=SEND_EVERY_MS,
                max_export_batch_size=SENT_TOGETHER,
            )
        )
        self._tracer = self._provider.get_tracer("nightlatch")
        self._propagator = TraceContextTextMapPropagator()

    def call(self, method: str, caller: str, traceparent: str) -> OpenSpan:
        """The span of a call, below its caller's where that is told."""
        service, _, name = method.partition("/")
        attributes: dict[str, AttributeValue] = {
            "rpc.system": "grpc",
            "rpc.service": service,
            "rpc.method": name,
            "nightlatch.caller": caller,
        }
        span = self._tracer.start_span(
            method, self._parent(traceparent), kind=SpanKind.SERVER, attributes=attributes
        )
        return OpenSpan(span, "rpc.grpc.status")

    def part(self, activity: Activity, labels: tuple[str, ...]) -> OpenSpan | None:
        """The span of a part, below the call under way; none where there is no call, as in health checks."""
        if not trace.get_current_span().get_span_context().is_valid:
            return None
        attributes: dict[str, AttributeValue] = dict(zip(_NAMES[activity], labels, strict=True))
        kind = SpanKind.INTERNAL if activity is Activity.STEP else SpanKind.CLIENT
        span = self._tracer.start_span(" ".join((activity.value, *labels)), kind=kind, attributes=attributes)
        return OpenSpan(span, "nightlatch.result")

    def close(self) -> None:
        """Send what waits, for a bounded time, and end. Blocks."""
        closing = threading.Thread(target=self._provider.shutdown, name="traces-closing", daemon=True)
        closing.start()
        closing.join(CLOSING_SECONDS)

    def _parent(self, traceparent: str) -> Context:
        """What a caller's header says; nothing for one that is not right."""
        if len(traceparent) != _LONGEST_TRACEPARENT:
            return context.Context()
        return self._propagator.extract({"traceparent": traceparent}, context.Context())
