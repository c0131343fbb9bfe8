"""VerifyCode beside privacyIDEA's /validate/check: as many users and load processes, one machine.

Every figure of nightlatch stands beside the load at which privacyIDEA was quickest. With more at
once than it has workers it answers fewer, and a ratio taken there would flatter.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench.applications import VERIFY, Shop, cpu_of_all
from bench.callers import Load, Target, run, start, together
from bench.figures import Figure, beside
from bench.privacyidea import RELEASE, WORKERS, PrivacyIdea, installed

if TYPE_CHECKING:
    from pathlib import Path

    from bench.load import Run

PEOPLE = 300
STREAMS = (8, 32)
THEIR_STREAMS = (WORKERS, *STREAMS)
CHANNELS = 8
_WAYS = ((1, "1 worker"), (2, "2 workers"))


def measure(folder: Path, cache: Path, rounds: int) -> list[Figure]:
    """The figures of both, on SQLite; privacyIDEA without TLS, nightlatch with it."""
    programs = installed(cache)
    names = [f"s{number:05d}" for number in range(PEOPLE)]
    peer = PrivacyIdea(folder / "peer", programs, names)
    try:
        peer.start()
        theirs = [_theirs(peer, streams) for streams in THEIR_STREAMS]
    finally:
        peer.stop()
    figures = [figure for level in theirs for figure in level]
    best = max(theirs, key=lambda level: level[0].value)
    for workers, name in _WAYS:
        shop = Shop(folder / name[0], PEOPLE, workers=workers)
        shop.made.daemon.start()
        try:
            for streams in STREAMS:
                figures += _ours(shop, Load(streams, CHANNELS, 1), f"nightlatch, {name}", rounds, best)
        finally:
            shop.made.daemon.stop()
    return figures


def _theirs(peer: PrivacyIdea, streams: int) -> list[Figure]:
    bodies = [
        json.dumps({"user": name, "realm": "people", "pass": app.fresh(earliest=0)})
        for name, app in zip(peer.names, peer.apps, strict=True)
    ]
    plan = {"port": peer.port, "path": "/validate/check", "requests": bodies, "streams": streams}
    cpu = cpu_of_all(peer.pid)
    ran = together([start("http_caller.py", plan)])
    cpu = (cpu_of_all(peer.pid) - cpu) / len(bodies) * 1e6
    return _figures(f"{RELEASE}, {WORKERS} gunicorn workers, {streams} streams", ran, cpu)


def _ours(shop: Shop, load: Load, name: str, rounds: int, best: list[Figure]) -> list[Figure]:
    """The middle one of several rounds: each is short, because a person has two codes at a time."""
    runs: list[tuple[Run, float]] = []
    for _ in range(rounds):
        requests = shop.requests(PEOPLE * 2)
        cpu = cpu_of_all(shop.made.daemon.pid)
        ran = run(Target(shop.client, VERIFY, check=True), requests, load)
        runs.append((ran, (cpu_of_all(shop.made.daemon.pid) - cpu) / len(requests) * 1e6))
    middle = sorted(runs, key=lambda one: one[0].rate)[rounds // 2]
    figures = _figures(f"{name}, {load.streams} streams", *middle)
    return [beside(one.name, one.value, one.unit, other) for one, other in zip(figures, best, strict=True)]


def _figures(name: str, ran: Run, cpu: float) -> list[Figure]:
    return [
        Figure(name, ran.rate, "checks/s"),
        Figure(f"{name}: median", ran.p50, "ms"),
        Figure(f"{name}: p99", ran.p99, "ms"),
        Figure(f"{name}: CPU a check", cpu, "us"),
    ]
