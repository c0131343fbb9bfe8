"""Logins from trusted devices, one call each, beside logins with a code, two calls each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uvloop

from bench.figures import Figure, beside
from bench.load import Run, channel, load, raw
from bench.minting import mint
from bench.people import People, wait_for_a_young_step
from bench.verification import ANSWER, cpu_seconds
from nightlatch.factor import EnrollmentRequest
from nightlatch.plugins.loader import load_factors
from nightlatch.v1 import login_pb2
from testbed.daemon import Nightlatchd
from testbed.pamcheck import PrivateUsers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from nightlatch.factor import Enrollment
    from testbed.codes import App

BEGIN = "/nightlatch.v1.LoginService/BeginLogin"
STREAMS = 8
DAYS = 30
_CONFIGURATION = f"""
[[directories]]
name = "local"
kind = "pam"
socket = "/nonexistent/pamcheck.sock"
[[policies]]
name = "devices"
trusted_device_days = {DAYS}
"""


def measure(folder: Path, count: int) -> list[Figure]:
    """`count` logins in each way. The daemon looks each person up among `count` lines of a passwd file."""
    people = People(count, "local", "d")
    people.enroll(folder / "state")
    facade = load_factors(("trusted_device",), {})["trusted_device"]
    ends = people._clock.now() + DAYS * 86_400
    wanted = [(account, EnrollmentRequest("laptop", expires_at=ends)) for account in people.accounts]
    made = mint(people, folder / "state", "trusted_device", facade, wanted)
    daemon = Nightlatchd(folder, _CONFIGURATION)
    daemon.config.write_text(daemon.config.read_text().replace('["totp"]', '["totp", "trusted_device"]'))
    names = [account.name for account in people.accounts]
    daemon.machine = PrivateUsers(folder / "machine", dict.fromkeys(names, "pw"))
    daemon.start()
    try:
        wait_for_a_young_step()
        return uvloop.run(_figures(daemon, people, made))
    finally:
        daemon.stop()


async def _figures(daemon: Nightlatchd, people: People, made: list[Enrollment]) -> list[Figure]:
    apps = {account.name: app for account, app in zip(people.accounts, people.apps, strict=True)}
    plain = [established(account.name) for account in people.accounts]
    trusted = [
        established(account.name, enrollment.token)
        for account, enrollment in zip(people.accounts, made, strict=True)
    ]
    async with channel(daemon.pam_socket) as connection:
        begin, answer = raw(connection, BEGIN), raw(connection, ANSWER)
        code, code_cpu = await _timed(daemon, with_code(begin, answer, apps), plain)
        device, device_cpu = await _timed(daemon, _with_device(begin), trusted)
    rate = Figure(f"login with a TOTP code, {STREAMS} streams", code.rate, "logins/s")
    median = Figure(f"{rate.name}: median", code.p50, "ms")
    p99 = Figure(f"{rate.name}: p99", code.p99, "ms")
    cpu = Figure(f"{rate.name}: daemon's CPU", code_cpu, "us")
    name = f"login from a trusted device, {STREAMS} streams"
    return [
        *(rate, median, p99, cpu),
        beside(name, device.rate, "logins/s", rate),
        beside(f"{name}: median", device.p50, "ms", median),
        beside(f"{name}: p99", device.p99, "ms", p99),
        beside(f"{name}: daemon's CPU", device_cpu, "us", cpu),
    ]


def established(user: str, token: str = "") -> bytes:
    """A BeginLogin request of somebody whose first factor the caller has seen."""
    evidence = [login_pb2.Evidence(device_token=token)] if token else []
    request = login_pb2.BeginLoginRequest(
        user=user,
        service="bench",
        origin=login_pb2.Origin(remote_host="192.0.2.1"),
        primary=login_pb2.PRIMARY_ESTABLISHED,
        evidence=evidence,
    )
    return request.SerializeToString()


def with_code(
    begin: Callable[[bytes], Awaitable[bytes]],
    answer: Callable[[bytes], Awaitable[bytes]],
    apps: dict[str, App],
) -> Callable[[bytes], Awaitable[bytes]]:
    """Turns a BeginLogin request into a whole login with a code; raises where it is not granted."""

    async def login(request: bytes) -> bytes:
        step = login_pb2.BeginLoginResponse.FromString(await begin(request)).step
        app = apps[login_pb2.BeginLoginRequest.FromString(request).user]
        answered = login_pb2.AnswerLoginRequest(ticket=step.ticket, answer=app.code().encode())
        reply = await answer(answered.SerializeToString())
        _require_grant(login_pb2.AnswerLoginResponse.FromString(reply).step)
        return reply

    return login


def _with_device(begin: Callable[[bytes], Awaitable[bytes]]) -> Callable[[bytes], Awaitable[bytes]]:
    async def login(request: bytes) -> bytes:
        reply = await begin(request)
        step = login_pb2.BeginLoginResponse.FromString(reply).step
        _require_grant(step)
        if not step.outcome.device_token:
            raise AssertionError("the device's secret did not change with its use")
        return reply

    return login


def _require_grant(step: login_pb2.Step) -> None:
    if step.outcome.verdict != login_pb2.VERDICT_GRANTED:
        raise AssertionError(f"not a grant: {step}")


async def _timed(
    daemon: Nightlatchd, login: Callable[[bytes], Awaitable[bytes]], requests: list[bytes]
) -> tuple[Run, float]:
    """A run, and the daemon's CPU time for each login, in microseconds."""
    before = cpu_seconds(daemon.pid)
    run = await load(login, requests, STREAMS)
    return run, (cpu_seconds(daemon.pid) - before) / len(requests) * 1e6
