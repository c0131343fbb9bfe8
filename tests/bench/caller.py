"""A load process: calls over TLS with a client's certificate. A program, driven by `bench.callers`.

Reads its plan, one line of JSON; connects; says "ready"; begins at the next line; prints its times.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import uvloop

from nightlatch.v1 import verification_pb2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

_SECONDS = 60


def _verified(answer: bytes) -> None:
    response = verification_pb2.VerifyCodeResponse.FromString(answer)
    if response.verification != verification_pb2.VERIFICATION_VERIFIED:
        raise AssertionError(f"not verified: {response}")


async def call_all(plan: dict[str, Any], requests: Sequence[bytes], channels: int, streams: int) -> None:
    """Send all requests, `streams` at a time, spread over `channels` connections that are kept."""
    credentials = grpc.ssl_channel_credentials(plan["ca"], plan["key"], plan["certificate"])
    options = [("grpc.use_local_subchannel_pool", 1)]
    opened = [grpc.aio.secure_channel(plan["target"], credentials, options) for _ in range(channels)]
    await asyncio.gather(*(asyncio.wait_for(one.channel_ready(), _SECONDS) for one in opened))
    check: Callable[[bytes], None] = _verified if plan["check"] else lambda _: None
    waiting = iter(requests)
    times: list[float] = []

    async def stream(call: Callable[..., Awaitable[bytes]]) -> None:
        for request in waiting:
            began = time.perf_counter()
            answer = await call(request, timeout=_SECONDS)
            times.append(time.perf_counter() - began)
            check(answer)

    calls: Iterator[Callable[..., Awaitable[bytes]]] = itertools.cycle(
        [one.unary_unary(plan["method"]) for one in opened]
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(stream(next(calls)) for _ in range(streams)))
    seconds, used = time.perf_counter() - began, time.process_time() - used
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu": used, "times": times}) + "\n")
    await asyncio.gather(*(one.close() for one in opened))


if __name__ == "__main__":
    _plan = json.loads(sys.stdin.readline())
    for _name in ("ca", "certificate", "key"):
        _plan[_name] = Path(_plan[_name]).read_bytes()
    _requests = [bytes.fromhex(one) for one in _plan["requests"]]
    uvloop.run(call_all(_plan, _requests, _plan["channels"], _plan["streams"]))
