"""Switches metrics and traces on where the configuration asks for them, and gathers what a scrape reads.

Their libraries are loaded only then: they take a while, and those of traces may not be there.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from nightlatch.config.applications import split_address
from nightlatch.config.policies import NOT
from nightlatch.rpc.sockets import make_tcp_socket
from nightlatch.telemetry.readings import Readings
from nightlatch.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from nightlatch.app.core import Core
    from nightlatch.app.health import Health
    from nightlatch.config import Config
    from nightlatch.ports import Clock
    from nightlatch.telemetry.exposition import Exposition


def open_telemetry(config: Config, clock: Clock) -> Telemetry:
    """What the configuration wants to be kept. To be made in the process that serves, not before a fork."""
    metrics = spans = None
    if config.metrics.address is not None:
        module = importlib.import_module("nightlatch.telemetry.metrics")
        metrics = module.Metrics(services_named(config))
    if config.tracing.endpoint is not None:
        module = importlib.import_module("nightlatch.telemetry.tracing")
        spans = module.OpenTelemetrySpans(config.tracing.endpoint, config.tracing.sampled)
    return Telemetry(clock.steady, metrics, spans)


def services_named(config: Config) -> frozenset[str]:
    """The services that a configuration names: in rules, for clients, and for the metrics alone."""
    names = {*config.metrics.services}
    for client in config.clients:
        names |= {client.name, *(client.services or ())}
    for rule in config.policies:
        names |= {service.removeprefix(NOT) for service in rule.match.services or ()}
    return frozenset(names)


class Scrapes:
    """The door for Prometheus, where there is one."""

    def __init__(
        self,
        core: Callable[[], Core],
        telemetry: Telemetry,
        health: Health,
        connections: Callable[[], Mapping[str, int]],
        clock: Clock,
    ) -> None:
        self._core = core
        self._telemetry = telemetry
        self._health = health
        self._connections = connections
        self._clock = clock
        self._exposition: Exposition | None = None

    async def start(self, worker: int) -> str:
        """Serve; where: worker 1 at the configured port, each further one at the next. Raises ConfigError.

        Empty where no metrics are wanted.
        """
        address = self._core().config.metrics.address
        if address is None or self._telemetry.metrics is None:
            return ""
        host, port = split_address(address)
        listening = _socket(host, port + worker - 1)
        module = importlib.import_module("nightlatch.telemetry.exposition")
        self._exposition = module.Exposition(self._telemetry.metrics, self._read)
        await self._exposition.start(listening)
        return f"{host}:{port + worker - 1}"

    def reload(self) -> None:
        """Take over which services have a name of their own."""
        if self._telemetry.metrics is not None:
            self._telemetry.metrics.know(services_named(self._core().config))

    def stop(self) -> None:
        """Take no more scrapes."""
        if self._exposition is not None:
            self._exposition.stop()

    def _read(self) -> Readings:
        core = self._core()
        return Readings(
            now=self._clock.now(),
            under_way=dict(self._telemetry.under_way),
            connections=self._connections(),
            servers={one.name: one.servers() for one in core.directories},
            resting={name: channel.rests for name, channel in core.channels.items()},
            parts={(part.kind, part.name): part.healthy for part in self._health.parts},
            serving=dict(self._health.serving),
        )


def _socket(host: str, port: int) -> socket.socket:
    listening = make_tcp_socket(host, port, "metrics.address")
    listening.settimeout(0)
    return listening
