"""What is not counted but read: how things are at the moment of a scrape."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Readings:
    """The state of the daemon's parts."""

    now: float
    """The daemon's clock, in Unix seconds: codes depend on it."""
    under_way: Mapping[str, int] = field(default_factory=dict)
    """By activity, "call" among them."""
    connections: Mapping[str, int] = field(default_factory=dict)
    """By listener."""
    servers: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By directory: how many servers it has, and how many of them are passed over after failures."""
    resting: Mapping[str, bool] = field(default_factory=dict)
    """By channel: whether it is left alone after failures."""
    parts: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    """By kind ("store", "directory") and name: whether it answered when it was asked last."""
    serving: Mapping[str, bool] = field(default_factory=dict)
    """By gRPC service: what its health check says."""
