"""Password checks against slapd: the daemon's directory, the whole daemon, and libldap beside them."""

from __future__ import annotations

import asyncio
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import structlog
import uvloop
from pydantic import TypeAdapter

from bench.figures import Figure, beside
from bench.libldap import Connection, Libldap
from bench.load import channel, load, raw
from bench.minting import waiting
from bench.people import People
from bench.verification import ANSWER, cpu_seconds
from nightlatch.app.system import SystemClock, SystemRandomness
from nightlatch.directories.build import build_directory
from nightlatch.directories.settings import DirectorySettings
from nightlatch.login.ticket import Stage
from nightlatch.model import Secret
from nightlatch.v1 import login_pb2
from testbed.daemon import Nightlatchd
from testbed.front_door import directory_table
from testbed.pki import make_pki
from testbed.slapd import Slapd, password_of, person_dn

if TYPE_CHECKING:
    from pathlib import Path

    from nightlatch.model import Account
    from nightlatch.ports import Directory

AT_ONCE = (1, 8, 32)
PEOPLE = 200
_WORKERS = 32
"""As many as there are logins at once: what is compared is the binds, not a queue before them."""


def measure(folder: Path, calls: int) -> list[Figure]:
    """`calls` checks of each kind, 1, 8 and 32 at a time, each of the next person."""
    folder.mkdir(mode=0o755)
    slapd_folder = folder / "slapd"
    slapd_folder.mkdir(mode=0o755)
    slapd = Slapd(slapd_folder, make_pki(folder / "pki"), tuple(f"p{number:03}" for number in range(PEOPLE)))
    slapd.start()
    try:
        return uvloop.run(_measure(folder, slapd, calls))
    finally:
        slapd.stop()


async def _measure(folder: Path, slapd: Slapd, calls: int) -> list[Figure]:
    settings = TypeAdapter(DirectorySettings).validate_python(slapd.settings(workers=_WORKERS))
    directory = build_directory(settings, structlog.get_logger(), SystemClock(), SystemRandomness())
    people = People(PEOPLE)
    people.accounts = [await _found(directory, f"p{number:03}") for number in range(PEOPLE)]
    await asyncio.to_thread(people.enroll, folder / "state")
    daemon = Nightlatchd(folder, directory_table(slapd) + f"workers = {_WORKERS}\n")
    await asyncio.to_thread(daemon.start)
    figures: list[Figure] = []
    try:
        for at_once in AT_ONCE:
            bare = await asyncio.to_thread(_libldap, slapd, calls, at_once)
            ours = await _directory(directory, people.accounts, calls, at_once)
            figures += [bare, beside(ours.name, ours.value, ours.unit, bare)]
            figures += await _daemon(daemon, people, min(calls, PEOPLE * 2), at_once, bare)
    finally:
        await asyncio.to_thread(daemon.stop)
        await directory.close()
    return figures


async def _found(directory: Directory, name: str) -> Account:
    account = await directory.find(name)
    if account is None:
        raise AssertionError(f"{name} is not in the slapd")
    return account


def _libldap(slapd: Slapd, calls: int, at_once: int) -> Figure:
    """Binds on kept connections, one connection and one thread for each that is at work."""
    library = Libldap()
    connections = [Connection(library, slapd.tls_url, slapd.ca_file) for _ in range(at_once)]
    names = itertools.cycle(f"p{number:03}" for number in range(PEOPLE))
    work = [[next(names) for _ in range(calls // at_once)] for _ in range(at_once)]

    def run(connection: Connection, people: list[str]) -> None:
        for name in people:
            connection.bind(person_dn(name), password_of(name))

    with ThreadPoolExecutor(at_once) as threads:
        list(threads.map(run, connections, [["p000"]] * at_once))  # connects
        began = time.perf_counter()
        list(threads.map(run, connections, work))
        seconds = time.perf_counter() - began
    for connection in connections:
        connection.close()
    return Figure(f"libldap, binds, {at_once} at once", sum(map(len, work)) / seconds, "checks/s")


async def _directory(directory: Directory, accounts: list[Account], calls: int, at_once: int) -> Figure:
    """The directory's own checks, as the daemon asks for them."""
    turn = itertools.cycle(accounts)

    async def stream(count: int) -> None:
        for account in itertools.islice(turn, count):
            await directory.check_password(account, Secret(password_of(account.name)))

    await asyncio.gather(*(stream(1) for _ in range(at_once)))
    each = calls // at_once
    began = time.perf_counter()
    await asyncio.gather(*(stream(each) for _ in range(at_once)))
    seconds = time.perf_counter() - began
    return Figure(f"LdapDirectory, checks, {at_once} at once", each * at_once / seconds, "checks/s")


async def _daemon(
    daemon: Nightlatchd, people: People, calls: int, at_once: int, bare: Figure
) -> list[Figure]:
    """AnswerLogin with the password: the search, the bind, the limiter's two transactions, the question."""
    requests = [
        waiting(people, account, password_of(account.name), Stage.PASSWORD)
        for account in itertools.islice(itertools.cycle(people.accounts), calls)
    ]
    async with channel(daemon.pam_socket) as connection:
        answer = raw(connection, ANSWER)

        async def check(request: bytes) -> bytes:
            reply = await answer(request)
            step = login_pb2.AnswerLoginResponse.FromString(reply).step
            if step.prompt.kind != login_pb2.PROMPT_KIND_CODE:
                raise AssertionError(f"the password was not right: {step}")
            return reply

        before = cpu_seconds(daemon.pid)
        run = await load(check, requests, at_once)
        used = (cpu_seconds(daemon.pid) - before) / calls * 1e6
    name = f"nightlatchd, password step, {at_once} at once"
    return [
        beside(name, run.rate, "checks/s", bare),
        Figure(f"{name}: median", run.p50, "ms"),
        Figure(f"{name}: p99", run.p99, "ms"),
        Figure(f"{name}: daemon's CPU a call", used, "us"),
    ]
