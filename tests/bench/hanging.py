"""Logins of local people with a code, while the directory that stands second hangs and is waited for."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from typing import TYPE_CHECKING

import grpc
import uvloop

from bench.devices import BEGIN, established, with_code
from bench.figures import Figure, beside
from bench.load import Run, raw
from bench.people import People
from bench.verification import ANSWER
from nightlatch.v1 import login_pb2
from testbed.daemon import Nightlatchd
from testbed.front_door import directory_table
from testbed.pamcheck import PrivateUsers
from testbed.pki import make_pki
from testbed.slapd import Slapd

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PACE = 25
"""Logins a second, whatever becomes of those before: what is measured is the wait of each."""
ARRIVAL = 5.0
"""Seconds over which those who wait arrive: about as long as each waits, so that they are told one by one."""
_TIMEOUTS = re.compile(r"^(connect|operation)_timeout = .*\n", re.MULTILINE)
_LOCAL = '[[directories]]\nname = "local"\nkind = "pam"\nsocket = "/nonexistent/pamcheck.sock"\n'


def measure(folder: Path, hung: int, logins: int) -> list[Figure]:
    """`logins` idle, with `hung` people of the other directory waiting at any time, and idle again."""
    folder.mkdir(mode=0o755)
    people = People(3 * logins, "local", "h")
    people.enroll(folder / "state")
    slapd_folder = folder / "slapd"
    slapd_folder.mkdir(mode=0o755)
    names = tuple(f"w{number:03}" for number in range(hung))
    slapd = Slapd(slapd_folder, make_pki(folder / "pki"), names)
    slapd.start()
    corp = _TIMEOUTS.sub("", directory_table(slapd))  # those that people have: the defaults
    daemon = Nightlatchd(folder, _LOCAL + corp)
    local = {account.name: "pw" for account in people.accounts}
    daemon.machine = PrivateUsers(folder / "machine", local)
    try:
        daemon.start()
        return uvloop.run(_figures(daemon, slapd, people, names))
    finally:
        daemon.stop()
        slapd.stop()


async def _figures(daemon: Nightlatchd, slapd: Slapd, people: People, names: tuple[str, ...]) -> list[Figure]:
    apps = {account.name: app for account, app in zip(people.accounts, people.apps, strict=True)}
    each = len(people.accounts) // 3
    turns = [[one.name for one in people.accounts[at * each : (at + 1) * each]] for at in range(3)]
    async with _connection(daemon, 0) as connection:
        login = with_code(raw(connection, BEGIN), raw(connection, ANSWER), apps)

        async def trickle(those: list[str]) -> Run:
            times: list[float] = []

            async def one(name: str, due: float) -> None:
                await asyncio.sleep(due - time.perf_counter())
                await login(established(name))
                times.append(time.perf_counter() - due)

            began = time.perf_counter() + 0.1
            await asyncio.gather(*(one(name, began + at / PACE) for at, name in enumerate(those)))
            times.sort()
            return Run(PACE, times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3)

        await trickle(turns[0][:1])
        before = await trickle(turns[0][1:])
        slapd.hang()
        async with _waiting(daemon, names) as load:
            during = await trickle(turns[1])
        slapd.go_on()
        after = await trickle(turns[2])
    median = Figure("local TOTP login, idle: median", min(before.p50, after.p50), "ms")
    idle = Figure("local TOTP login, idle: p99", min(before.p99, after.p99), "ms")
    name = f"local TOTP login, {len(names)} waiting for a hung LDAP directory"
    return [
        median,
        idle,
        beside(f"{name}: median", during.p50, "ms", median),
        beside(f"{name}: p99", during.p99, "ms", idle),
        Figure("hung LDAP: logins that were told so meanwhile", load.told, "logins"),
        Figure("hung LDAP: each was told so after, at most", load.longest, "s"),
    ]


class _Load:
    def __init__(self) -> None:
        self.told = 0
        self.longest = 0.0

    def count(self, seconds: float) -> None:
        """One was told."""
        self.told += 1
        self.longest = max(self.longest, seconds)


@contextlib.asynccontextmanager
async def _waiting(daemon: Nightlatchd, names: tuple[str, ...]) -> AsyncIterator[_Load]:
    """People of the hung directory, each with a login under way, and a new one as soon as that ends."""
    load = _Load()
    async with _connection(daemon, 1) as connection:
        begin = raw(connection, BEGIN)

        async def insist(place: int, name: str) -> None:
            await asyncio.sleep(place * ARRIVAL / len(names))
            while True:
                began = time.perf_counter()
                step = login_pb2.BeginLoginResponse.FromString(await begin(established(name))).step
                if step.outcome.verdict != login_pb2.VERDICT_UNAVAILABLE:
                    raise AssertionError(f"a hung directory has answered: {step}")
                load.count(time.perf_counter() - began)

        tasks = [asyncio.create_task(insist(*arrival)) for arrival in enumerate(names)]
        await asyncio.sleep(ARRIVAL)
        yield load
        failed = [task.exception() for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for error in failed:
            if error is not None:
                raise error


def _connection(daemon: Nightlatchd, number: int) -> grpc.aio.Channel:
    """A connection of its own: gRPC shares one among channels with the same options."""
    return grpc.aio.insecure_channel(f"unix:{daemon.pam_socket}", options=[("bench.connection", number)])
