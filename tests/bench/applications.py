"""VerifyCode over TLS, beside an empty echo over TLS: SQLite and PostgreSQL, one worker process and two."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

from bench.callers import Load, Target, run
from bench.durable import ceiling, durable_write
from bench.echo_server import METHOD
from bench.figures import Figure, beside
from bench.people import People
from bench.verification import cpu_seconds
from nightlatch.v1 import verification_pb2
from testbed.applications import Application, Installation
from testbed.authority import Order
from testbed.pamcheck import PrivateUsers
from testbed.ports import free_port
from testbed.postgres import Postgres
from testbed.process import Child

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAMS = (1, 8, 32, 128)
VERIFY = "/nightlatch.v1.VerificationService/VerifyCode"
CHANNELS = 8
WARM = Load(8, CHANNELS, 1)
PEOPLE = 1200
"""Not fewer than calls in a level: two codes of one person may overtake each other on two workers."""
CLIENT = """
[[clients]]
name = "shop"
san = "dns:shop.example.com"
methods = ["verification"]
requests_per_second = 100000
concurrent = 4096
connections = 256
"""
_DIRECTORY = """
[[directories]]
name = "local"
kind = "pam"
socket = "/nonexistent/pamcheck.sock"
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a daemon is measured with."""

    store: str
    workers: int


SETTINGS = tuple(Setting(store, workers) for store in ("SQLite", "PostgreSQL") for workers in (1, 2))


def measure(folder: Path, calls: int) -> list[Figure]:
    """`calls` at each level, for each setting."""
    folder.mkdir(mode=0o755)
    figures: list[Figure] = []
    for number, setting in enumerate(SETTINGS):
        figures += measured(folder / str(number), setting, calls)
    return figures


def measured(folder: Path, setting: Setting, calls: int) -> list[Figure]:
    """The figures of one setting."""
    postgres = Postgres(durable=True) if setting.store == "PostgreSQL" else None
    url = "" if postgres is None else postgres.url(postgres.create_database())
    try:
        return _measured(folder, setting, calls, url)
    finally:
        if postgres is not None:
            postgres.stop()


def _measured(folder: Path, setting: Setting, calls: int, url: str) -> list[Figure]:
    shop = Shop(folder, PEOPLE, url, setting.workers)
    echo_port = free_port()
    files = (shop.made.server.certificate, shop.made.server.key, shop.made.authority.file)
    program = Path(__file__).with_name("echo_server.py")
    command: list[str | Path] = [sys.executable, program, f"127.0.0.1:{echo_port}", *files]
    echoes = [Child(command, folder / "echo.log") for _ in range(setting.workers)]
    echo = Target(replace(shop.client, port=echo_port), METHOD)
    figures: list[Figure] = []
    try:
        shop.made.daemon.start()
        verified = Target(shop.client, VERIFY, check=True)
        run(verified, shop.requests(calls), WARM)  # a new store's log grows, and each commit takes longer
        for streams in STREAMS:
            load = Load(streams, CHANNELS if streams >= CHANNELS else 1, min(streams, setting.workers))
            requests = shop.requests(calls if streams > 1 else calls // 2)
            before = run(echo, requests, load)
            cpu = cpu_of_all(shop.made.daemon.pid)
            ran = run(verified, requests, load)
            cpu = (cpu_of_all(shop.made.daemon.pid) - cpu) / len(requests) * 1e6
            after = run(echo, requests, load)
            name = (
                f"{setting.store}, {setting.workers} worker{'s' * (setting.workers > 1)}, {streams} streams"
            )
            floor = Figure(f"echo over TLS: {name}", (before.rate + after.rate) / 2, "calls/s")
            verify = f"VerifyCode: {name}"
            figures += [floor, beside(verify, ran.rate, "calls/s", floor)]
            if streams == 1:
                figures.append(ceiling(floor, durable_write(folder)))
            figures += [Figure(f"{verify}: median", ran.p50, "ms"), Figure(f"{verify}: p99", ran.p99, "ms")]
            figures.append(Figure(f"{verify}: daemon's CPU a call", cpu, "us"))
    finally:
        shop.made.daemon.stop()
        for child in echoes:
            child.stop()
    return figures


class Shop:
    """A daemon, its people with their phones, and an application that checks their codes."""

    def __init__(self, folder: Path, count: int, url: str = "", workers: int = 1) -> None:
        self.people = People(count, "local", "s")
        self.people.enroll(folder / "d" / "state", url)
        store = f'[store]\nurl = "{url}"\nkey_file = "{folder}/d/state/master.key"\n' if url else ""
        self.made = Installation(folder, directories=store + _DIRECTORY, clients=CLIENT)
        config = self.made.daemon.config
        if workers > 1:
            config.write_text(config.read_text().replace("[daemon]\n", f"[daemon]\nworkers = {workers}\n"))
        names = [account.name for account in self.people.accounts]
        self.made.daemon.machine = PrivateUsers(folder / "machine", dict.fromkeys(names, "pw"))
        self.client: Application = self.made.client("shop", Order(("dns:shop.example.com",)))
        self._turn: Iterator[int] = cycle(range(count))

    def requests(self, count: int) -> list[bytes]:
        """Requests with fresh codes, each of the next person; good for half a minute yet."""
        return [self._request(index) for index in islice(self._turn, count)]

    def _request(self, index: int) -> bytes:
        code = self.people.apps[index].fresh(earliest=0)
        user = self.people.accounts[index].name
        return verification_pb2.VerifyCodeRequest(user=user, code=code).SerializeToString()


def cpu_of_all(pid: int) -> float:
    """User and system time of a process and of its children."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return sum(map(cpu_seconds, (pid, *children)))
