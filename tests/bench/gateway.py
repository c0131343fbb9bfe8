"""Logins with a code while a thousand others wait for an SMS gateway that takes all and says nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import grpc
import uvloop

from bench.figures import Figure, beside
from bench.load import Run, raw
from bench.minting import mint, waiting
from bench.people import People, granted, wait_for_a_young_step
from bench.verification import ANSWER, cpu_seconds
from nightlatch.factor import EnrollmentRequest
from nightlatch.login.ticket import Stage
from nightlatch.plugins.loader import load_plugins
from nightlatch.v1 import login_pb2
from testbed.daemon import Nightlatchd

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from nightlatch.model import Account

PACE = 100
"""Logins a second: a steady trickle, as at a front door, so that what is measured is the wait of each."""
MOST_CALLS = 5 * PACE
"""For each of the three measurements: the hung logins wait twice as long before they give up."""
CONNECTIONS = 8
"""Over which the waiting logins come: the daemon lets 256 calls wait on each."""
AREAS = ("201", "202", "203", "205", "206", "207", "208", "209", "210", "212")
"""Numbers of ten prefixes: no prefix is sent more than 200 messages an hour."""
_QUIET = 0.1
"""The share of a processor that the daemon uses at most once all who wait have come to rest."""
_CHANNEL = """
[channels.gateway]
kind = "http_sms"
url = "http://127.0.0.1:{port}/send"
json_body = {{ to = "{{to}}", text = "{{text}}" }}
"""
_CONFIGURATION = """
[[directories]]
name = "people"
kind = "pam"
socket = "/nonexistent/pamcheck.sock"
[factors.sms]
channels = ["gateway"]
countries = ["US"]
"""


def measure(folder: Path, hung: int, calls: int) -> list[Figure]:
    """TOTP logins idle, with `hung` logins waiting, and idle again: beside the quieter of both idle ones."""
    calls = min(calls, MOST_CALLS)
    people = People(3 * calls + hung)
    people.enroll(folder / "state")
    owners = people.accounts[-hung:]
    facade = load_plugins(
        ("sms", "sms_gateways"),
        {"sms": {"channels": ["gateway"], "countries": ["US"]}},
        {
            "gateway": {
                "kind": "http_sms",
                "url": "http://127.0.0.1:9/",
                "json_body": {"to": "{to}", "text": "{text}"},
            }
        },
    ).factors["sms"]
    wanted = [
        (account, EnrollmentRequest("phone", f"+1{AREAS[place % len(AREAS)]}555{place // len(AREAS):04}"))
        for place, account in enumerate(owners)
    ]
    mint(people, folder / "state", "sms", facade, wanted)
    return uvloop.run(_measure(folder, people, owners, calls))


async def _measure(folder: Path, people: People, owners: list[Account], calls: int) -> list[Figure]:
    async with _silent_gateway() as gateway:
        daemon = Nightlatchd(folder, _CONFIGURATION + _CHANNEL.format(port=gateway.port))
        enabled = '["totp", "sms", "sms_gateways"]'
        daemon.config.write_text(daemon.config.read_text().replace('["totp"]', enabled))
        await asyncio.to_thread(daemon.start)
        try:
            return [*await _figures(daemon, people, owners, calls), gateway.figure()]
        finally:
            await asyncio.to_thread(daemon.stop)


class _Gateway:
    def __init__(self) -> None:
        self.port = 0
        self._open = 0
        self._most = 0

    async def take(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Read on and on, and never answer."""
        self._open += 1
        self._most = max(self._most, self._open)
        with contextlib.suppress(OSError):
            while await reader.read(65536):
                pass
        writer.close()
        self._open -= 1

    def figure(self) -> Figure:
        """What it has seen."""
        return Figure("hung: most connections to the gateway", self._most, "at once")


@contextlib.asynccontextmanager
async def _silent_gateway() -> AsyncIterator[_Gateway]:
    gateway = _Gateway()
    server = await asyncio.start_server(gateway.take, "127.0.0.1", 0)
    gateway.port = server.sockets[0].getsockname()[1]
    try:
        yield gateway
    finally:
        server.close()


async def _figures(daemon: Nightlatchd, people: People, owners: list[Account], calls: int) -> list[Figure]:
    wait_for_a_young_step()
    before = await _trickle(daemon, people.answers(iter(range(calls))))
    requests = [waiting(people, account, "1", Stage.CHOICE) for account in owners]
    measured = people.answers(iter(range(calls, 2 * calls)))
    began = time.perf_counter()
    async with _hung(daemon, requests) as tasks:
        await _quiet(daemon)
        arrived = time.perf_counter() - began
        during = await _trickle(daemon, measured)
        still = sum(not task.done() for task in tasks)
        ended = await asyncio.gather(*tasks)
    offered = _offered_another_way(ended)
    after = await _trickle(daemon, people.answers(iter(range(2 * calls, 3 * calls))))
    idle = Figure("TOTP, idle: p99", min(before.p99, after.p99), "ms")
    median = Figure("TOTP, idle: median", min(before.p50, after.p50), "ms")
    name = f"TOTP, {len(owners):,} waiting on a hung gateway"
    return [
        median,
        idle,
        beside(f"{name}: median", during.p50, "ms", median),
        beside(f"{name}: p99", during.p99, "ms", idle),
        Figure("hung: all come to rest after", arrived, "s"),
        Figure("hung: still waiting when measured", still, "logins"),
        Figure("hung: offered another way at last", offered, "logins"),
    ]


async def _trickle(daemon: Nightlatchd, requests: list[bytes]) -> Run:
    """Logins at a steady pace, whatever becomes of those before (an open loop)."""
    times: list[float] = []
    async with _connection(daemon, 0) as connection:
        answer = raw(connection, ANSWER)

        async def one(request: bytes, due: float) -> None:
            await asyncio.sleep(due - time.perf_counter())
            granted(await answer(request))
            times.append(time.perf_counter() - due)

        began = time.perf_counter() + 0.1
        await asyncio.gather(*(one(request, began + at / PACE) for at, request in enumerate(requests)))
    times.sort()
    return Run(PACE, times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3)


@contextlib.asynccontextmanager
async def _hung(daemon: Nightlatchd, requests: list[bytes]) -> AsyncIterator[list[asyncio.Task[bytes]]]:
    """Each asks for a message, and waits for what comes of it."""
    async with contextlib.AsyncExitStack() as open_connections:
        asking: list[Callable[[bytes], Awaitable[bytes]]] = []
        for number in range(CONNECTIONS):
            connection = await open_connections.enter_async_context(_connection(daemon, 1 + number))
            asking.append(raw(connection, ANSWER))

        async def wait(place: int) -> bytes:
            return await asking[place % CONNECTIONS](requests[place])

        tasks = [asyncio.create_task(wait(place)) for place in range(len(requests))]
        try:
            yield tasks
        finally:
            for task in tasks:
                task.cancel()


def _connection(daemon: Nightlatchd, number: int) -> grpc.aio.Channel:
    """A connection of its own: gRPC shares one among channels with the same options."""
    return grpc.aio.insecure_channel(f"unix:{daemon.pam_socket}", options=[("bench.connection", number)])


async def _quiet(daemon: Nightlatchd) -> None:
    """Wait until the daemon does nothing: all have come to rest."""
    step = 0.25
    while True:
        before = cpu_seconds(daemon.pid)
        await asyncio.sleep(step)
        if cpu_seconds(daemon.pid) - before <= _QUIET * step:
            return


def _offered_another_way(answers: list[bytes]) -> int:
    """How many are asked how else they want to confirm; raises where one was let in."""
    steps = [login_pb2.AnswerLoginResponse.FromString(answer).step for answer in answers]
    if any(step.outcome.verdict == login_pb2.VERDICT_GRANTED for step in steps):
        raise AssertionError("a login was granted that had shown nothing")
    return sum(step.prompt.kind == login_pb2.PROMPT_KIND_CHOICE for step in steps)
