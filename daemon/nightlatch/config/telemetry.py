"""The tables ``[metrics]`` and ``[tracing]``: both off unless an address says where to."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nightlatch.config.applications import split_address
from nightlatch.config.locate import value_at
from nightlatch.config.policies import Word
from nightlatch.config.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_PORTS = 65_535
NEEDED_FOR_TRACES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def _address(text: str) -> str:
    try:
        split_address(text)
    except ValueError:
        raise ValueError(f'"{text}" is no IP address with a port.\nWrite "127.0.0.1:9464".') from None
    return text


def _endpoint(text: str) -> str:
    remedy = 'Write "http://127.0.0.1:4318/v1/traces".'
    try:
        parts = urlsplit(text)
        wrong = parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if wrong:
        raise ValueError(f"this is no URL of a collector.\n{remedy}")
    if parts.username is not None or parts.query:
        raise ValueError(f"a password or a query does not belong in the URL.\n{remedy}")
    return text


class MetricsSettings(BaseModel):
    """Where Prometheus reads the metrics."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[str, AfterValidator(_address)] | None = Field(
        None,
        description='The IP address and port where Prometheus may read: "127.0.0.1:9464". '
        "Left out: there are no metrics. With several workers, each has a port of its own, from this one on.",
    )
    services: tuple[Word, ...] = Field(
        (),
        description="Services that are counted by name, beside those that rules and clients name; "
        'the others are "other".',
    )


class TracingSettings(BaseModel):
    """Where traces are sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: Annotated[str, AfterValidator(_endpoint)] | None = Field(
        None,
        description='The OTLP/HTTP URL of a collector: "http://127.0.0.1:4318/v1/traces". '
        "Left out: there are no traces.",
    )
    sampled: float = Field(1.0, ge=0.0, le=1.0, description="The share of calls that are traced, 0 to 1.")


def telemetry_problems(data: dict[str, object]) -> Iterator[Problem]:
    """What only the machine and the other tables can tell: whether tracing is installed, and the ports."""
    place = ("tracing", "endpoint")
    if isinstance(value_at(place, data), str) and not all(map(_installed, NEEDED_FOR_TRACES)):
        yield Problem(
            place,
            "traces need packages that are not installed.\n"
            f"Run: {sys.prefix}/bin/pip install 'nightlatch[tracing]'",
        )
    place = ("metrics", "address")
    address, workers = value_at(place, data), value_at(("daemon", "workers"), data)
    if isinstance(address, str) and isinstance(workers, int):
        port = address.rpartition(":")[2]
        if port.isascii() and port.isdigit() and int(port) <= _PORTS < int(port) + workers - 1:
            wrong = f"{workers} workers need as many ports, from this one on.\nChoose a lower port."
            yield Problem(place, wrong)


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
