"""Ports that nobody uses, below the kernel's ephemeral range."""

from __future__ import annotations

import os
import random
import socket
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
_given: set[int] = set()
"""Ports that this process was given: whoever has one may not listen on it yet, or not at this moment."""


def free_port() -> int:
    """A port of 127.0.0.1 between 10000 and 32000 that could be bound just now, and that nobody else gets."""
    ports = [port for port in own_part(range(10_000, 32_000)) if port not in _given]
    for port in random.SystemRandom().sample(ports, min(200, len(ports))):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            _given.add(port)
            return port
    message = "no free port between 10000 and 32000"
    raise RuntimeError(message)


def own_part(things: Sequence[T]) -> Sequence[T]:
    """The part of `things` that is this process's own, where pytest-xdist runs several side by side."""
    worker, count = os.environ.get("PYTEST_XDIST_WORKER", "gw0"), os.environ.get("PYTEST_XDIST_WORKER_COUNT")
    return things[int(worker.removeprefix("gw")) :: int(count or "1")]
