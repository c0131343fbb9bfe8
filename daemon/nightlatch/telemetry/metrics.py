"""The metrics: what is counted and timed, under which names and labels.

MUST 1: a label has few values: words of the code and names of the configuration. A service's name is a
        caller's text: one that the configuration does not name is "other" (MUST 2 of `nightlatch.watching`).
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector

from nightlatch.watching import Activity, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.registry import Collector

    from nightlatch.watching import Ending

CALL = "call"
OTHER = "other"
NONE = "none"
_QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds, for what is done on this host."""
_SLOW = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds, for what waits for others."""
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """All metrics of one process. `step`, `directory` … of an activity are its labels."""

    def __init__(self, services: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        self._services = frozenset(services)
        self._observe: dict[tuple[str, ...], Callable[[float], None]] = {}
        self._count: dict[tuple[str, ...], Callable[[], None]] = {}
        self._make_times()
        self._make_counters()
        Info("nightlatch_build", "The running version.", registry=self.registry).info(
            {"version": version("nightlatch"), "python": platform.python_version()}
        )
        ProcessCollector(registry=self.registry)

    def _make_times(self) -> None:
        def histogram(name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Histogram:
            return Histogram(name, text, labels, buckets=buckets, registry=self.registry)

        self._times: dict[str, Histogram] = {
            CALL: histogram(
                "nightlatch_call_duration_seconds",
                "gRPC calls, from coming in to their answer, by method and status code.",
                ("method", "code"),
                _SLOW,
            ),
            Activity.STEP.value: histogram(
                "nightlatch_login_step_duration_seconds",
                "Answers in logins, by what was answered and what came of it. A denial takes 250 ms.",
                ("step", "outcome"),
                _SLOW,
            ),
            Activity.DIRECTORY.value: histogram(
                "nightlatch_directory_call_duration_seconds",
                "Questions to directories, with the wait for a free connection.",
                ("directory", "call", "result"),
                _SLOW,
            ),
            Activity.DECISION.value: histogram(
                "nightlatch_store_decision_duration_seconds",
                "Decisions in the store, from asking to the durable commit.",
                ("result",),
                _QUICK,
            ),
            Activity.MESSAGE.value: histogram(
                "nightlatch_message_duration_seconds",
                "Messages handed to channels, by channel and result.",
                ("channel", "result"),
                _SLOW,
            ),
        }
        self._group = histogram(
            "nightlatch_store_group_decisions", "Decisions that were committed together.", (), _SIZES
        )
        self._commit = histogram(
            "nightlatch_store_commit_duration_seconds",
            "Writing a group and committing it, until the database says durable.",
            (),
            _QUICK,
        )

    def _make_counters(self) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=self.registry)

        endings = ("outcome", "cause", "factor", "service")
        self._logins = counter("nightlatch_logins_total", "Logins that ended.", *endings)
        self._verifications = counter(
            "nightlatch_verifications_total",
            "Codes and devices verified for applications.",
            "outcome",
            "factor",
            "service",
        )
        self._proofs = counter("nightlatch_proofs_total", "Proofs that were decided.", "factor", "result")
        self._blocks = counter("nightlatch_limiter_blocks_total", "What the limiter turned away.", "limit")

    def add(self, collector: Collector) -> None:
        """Ask `collector` too, at each scrape."""
        self.registry.register(collector)

    def know(self, services: Iterable[str]) -> None:
        """Give these services a label of their own from now on, and no others."""
        self._services = frozenset(services)

    def timed(self, what: tuple[str, ...], seconds: float) -> None:
        """Something is over: "call" or an activity's value, then its labels in the order of its metric."""
        observe = self._observe.get(what)
        if observe is None:  # looked up once: `labels` takes longer than the counting
            histogram = self._times[what[0]]
            observe = self._observe[what] = histogram.labels(*what[1:]).observe
        observe(seconds)

    def ended(self, ending: Ending) -> None:
        """A login or a verification has ended."""
        service = ending.service if ending.service in self._services else OTHER
        factor = ending.factor or NONE
        if ending.kind is Kind.LOGIN:
            self._counted(self._logins, (ending.outcome, ending.cause or NONE, factor, service))
        else:
            self._counted(self._verifications, (ending.outcome, factor, service))

    def proof(self, factor: str, result: str) -> None:
        """A proof was decided."""
        self._counted(self._proofs, (factor or NONE, result))

    def blocked(self, limit: str) -> None:
        """The limiter has turned something away."""
        self._counted(self._blocks, (limit,))

    def committed(self, decisions: int, seconds: float) -> None:
        """A group of decisions was committed."""
        self._group.observe(decisions)
        self._commit.observe(seconds)

    def _counted(self, counter: Counter, labels: tuple[str, ...]) -> None:
        key = (counter._name, *labels)  # noqa: SLF001, its own name
        count = self._count.get(key)
        if count is None:
            count = self._count[key] = counter.labels(*labels).inc
        count()
