"""A closed loop: so many streams, each with one call under way, over one connection."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """What one load came to."""

    rate: float
    """Calls a second."""
    p50: float
    """Milliseconds."""
    p99: float
    """Milliseconds."""


async def load(call: Callable[[bytes], Awaitable[bytes]], requests: Sequence[bytes], streams: int) -> Run:
    """Send all requests, `streams` at a time. `call` raises where the answer is not the expected one."""
    waiting: Iterator[bytes] = iter(requests)
    times: list[float] = []

    async def stream() -> None:
        for request in waiting:
            began = time.perf_counter()
            await call(request)
            times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(stream() for _ in range(streams)))
    seconds = time.perf_counter() - began
    times.sort()
    return Run(len(times) / seconds, times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3)


def channel(path: Path) -> grpc.aio.Channel:
    """One connection to a unix socket."""
    return grpc.aio.insecure_channel(f"unix:{path}")


def raw(connection: grpc.aio.Channel, method: str) -> Callable[[bytes], Awaitable[bytes]]:
    """A method of bytes to bytes: both sides of a comparison pay for the same client."""
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = connection.unary_unary(method)
    return call
