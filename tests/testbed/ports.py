"""Ports that nobody uses, below the kernel's ephemeral range."""

from __future__ import annotations

import random
import socket


def free_port() -> int:
    """A port of 127.0.0.1 between 10000 and 32000 that could be bound just now."""
    for _ in range(200):
        port = random.SystemRandom().randint(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    message = "no free port between 10000 and 32000"
    raise RuntimeError(message)
