"""Makes gauges of readings, at each scrape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from nightlatch.telemetry.readings import Readings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class ReadingsCollector(Collector):
    """Makes gauges of readings."""

    def __init__(self, read: Callable[[], Readings]) -> None:
        self._read = read

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The gauges without values, so that a name is taken once."""
        return _gauges(Readings(0.0))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges, as things are now."""
        return _gauges(self._read())


def _gauges(read: Readings) -> Iterator[GaugeMetricFamily]:
    clock = GaugeMetricFamily(
        "nightlatch_clock_timestamp_seconds", "The daemon's clock. Codes are wrong where it is."
    )
    clock.add_metric((), read.now)
    yield clock
    yield _gauge(
        "nightlatch_under_way",
        "What has begun and is not over; of store decisions, the length of the queue.",
        ("activity",),
        {(name,): count for name, count in read.under_way.items()},
    )
    yield _gauge(
        "nightlatch_open_connections",
        "Connections that are open, by listener.",
        ("listener",),
        {(name,): count for name, count in read.connections.items()},
    )
    yield _gauge(
        "nightlatch_directory_servers",
        "Servers of a directory: those that are believed in, and those passed over after failures.",
        ("directory", "state"),
        {
            (name, state): count
            for name, (known, failing) in read.servers.items()
            for state, count in (("working", known - failing), ("passed_over", failing))
        },
    )
    yield _gauge(
        "nightlatch_channel_resting",
        "Whether a channel is left alone for a while after failures (1).",
        ("channel",),
        {(name,): rests for name, rests in read.resting.items()},
    )
    yield _gauge(
        "nightlatch_part_up",
        "Whether a part answered when it was asked last (1).",
        ("kind", "name"),
        {tuple(part): up for part, up in read.parts.items()},
    )
    yield _gauge(
        "nightlatch_serving",
        "What gRPC's health check says of a service (1: SERVING).",
        ("service",),
        {(name,): serving for name, serving in read.serving.items()},
    )


def _gauge(
    name: str, text: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        gauge.add_metric(key, float(value))
    return gauge
