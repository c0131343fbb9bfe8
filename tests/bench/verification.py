"""Durable TOTP verifications a second, beside an empty echo; memory; time to serve."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

import uvloop

from bench.echo_server import METHOD
from bench.figures import Figure, beside
from bench.load import Run, channel, load, raw
from bench.people import People, granted
from testbed.daemon import Nightlatchd
from testbed.process import Child, wait_until

STREAMS = (1, 8, 32, 128)
ANSWER = "/nightlatch.v1.LoginService/AnswerLogin"
_NOBODY = """
[[directories]]
name = "people"
kind = "pam"
socket = "/nonexistent/pamcheck.sock"
"""


def resident_mb(pid: int) -> float:
    """The resident memory of a process in MB (VmRSS)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def measure(folder: Path, calls: int, total: int) -> list[Figure]:
    """All figures of this file: `calls` at each level, `total` verifications before memory is read again."""
    people = People(max(calls, total // 2 + 1))
    people.enroll(folder / "state")
    daemon = Nightlatchd(folder, _NOBODY)
    began = time.perf_counter()
    daemon.start()
    figures = [Figure("daemon: from exec to serving", time.perf_counter() - began, "s")]
    figures.append(Figure("daemon: resident after start", resident_mb(daemon.pid), "MB"))
    echo_socket = folder / "echo.sock"
    echo = Child(
        [sys.executable, Path(__file__).with_name("echo_server.py"), echo_socket], folder / "echo.log"
    )
    wait_until(echo_socket.exists, "the echo", echo)
    turn = itertools.cycle(range(len(people.accounts)))
    done = 0
    try:
        for streams in STREAMS:
            requests = people.answers(itertools.islice(turn, calls))
            figures += uvloop.run(_level(requests, streams, daemon, echo_socket))
            done += calls
        while done < total:
            count = min(calls, total - done)
            uvloop.run(_verifications(people.answers(itertools.islice(turn, count)), STREAMS[2], daemon))
            done += count
        figures.append(
            Figure(f"daemon: resident after {done:,} verifications", resident_mb(daemon.pid), "MB")
        )
    finally:
        daemon.stop()
        echo.stop()
    return figures


async def _level(requests: list[bytes], streams: int, daemon: Nightlatchd, echo_socket: Path) -> list[Figure]:
    """Echo, verifications, echo: the floor is the mean of before and after, as the machine drifts."""
    before = await _echoes(len(requests), streams, echo_socket)
    cpu = cpu_seconds(daemon.pid)
    run = await _verifications(requests, streams, daemon)
    cpu = (cpu_seconds(daemon.pid) - cpu) / len(requests) * 1e6
    after = await _echoes(len(requests), streams, echo_socket)
    floor = Figure(f"empty echo, {streams} streams", (before.rate + after.rate) / 2, "calls/s")
    name = f"TOTP verification, {streams} streams"
    return [
        floor,
        beside(name, run.rate, "calls/s", floor),
        Figure(f"{name}: median", run.p50, "ms"),
        Figure(f"{name}: p99", run.p99, "ms"),
        Figure(f"{name}: daemon's CPU a call", cpu, "us"),
    ]


async def _echoes(count: int, streams: int, socket: Path) -> Run:
    async with channel(socket) as connection:
        return await load(raw(connection, METHOD), [b""] * count, streams)


async def _verifications(requests: list[bytes], streams: int, daemon: Nightlatchd) -> Run:
    async with channel(daemon.pam_socket) as connection:
        answer = raw(connection, ANSWER)

        async def verify(request: bytes) -> bytes:
            reply = await answer(request)
            granted(reply)
            return reply

        return await load(verify, requests, streams)
