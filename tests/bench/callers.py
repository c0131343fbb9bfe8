"""Starts load processes, so that the load takes no time of what it measures and no time of its maker."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bench.load import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from testbed.applications import Application


@dataclass(frozen=True, slots=True)
class Target:
    """A method of a server, and the client that calls it."""

    application: Application
    method: str
    check: bool = False
    """Whether every answer must be VERIFIED."""


@dataclass(frozen=True, slots=True)
class Load:
    """How it is called."""

    streams: int
    channels: int
    """Kept connections."""
    processes: int


def run(target: Target, requests: Sequence[bytes], load: Load) -> Run:
    """Send all requests; raises RuntimeError where a load process fails."""
    callers = []
    for number in range(load.processes):
        share = requests[number :: load.processes]
        pair = target.application.pair
        assert pair is not None
        plan = {
            "target": f"localhost:{target.application.port}",
            "ca": str(target.application.ca),
            "certificate": str(pair.certificate),
            "key": str(pair.key),
            "method": target.method,
            "check": target.check,
            "channels": max(1, load.channels // load.processes),
            "streams": max(1, load.streams // load.processes),
            "requests": [one.hex() for one in share],
        }
        callers.append(start("caller.py", plan))
    return together(callers)


def start(program: str, plan: dict[str, object]) -> subprocess.Popen[str]:
    """A load process that has its plan."""
    command = [sys.executable, str(Path(__file__).with_name(program))]
    caller = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    _input(caller).write(json.dumps(plan) + "\n")
    _input(caller).flush()
    return caller


def together(callers: Sequence[subprocess.Popen[str]]) -> Run:
    """Let load processes begin when all are ready; what they came to together."""
    for caller in callers:
        if _line(caller) != "ready\n":
            raise RuntimeError("a load process did not get ready; it says why above")
    for caller in callers:
        _input(caller).write("go\n")
        _input(caller).flush()
    told = [json.loads(_line(caller) or "null") for caller in callers]
    codes = [caller.wait() for caller in callers]
    if any(codes) or not all(told):
        raise RuntimeError("a load process failed; it says why above")
    times = sorted(time for one in told for time in one["times"])
    seconds = max(one["seconds"] for one in told)
    return Run(len(times) / seconds, times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3)


def _input(caller: subprocess.Popen[str]) -> IO[str]:
    assert caller.stdin is not None
    return caller.stdin


def _line(caller: subprocess.Popen[str]) -> str:
    assert caller.stdout is not None
    return caller.stdout.readline()
