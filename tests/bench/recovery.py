"""Recovery codes beside TOTP: each costs one argon2id, while a guess costs none; what others notice of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import uvloop

from bench.figures import Figure, beside
from bench.load import Run, channel, load, raw
from bench.minting import mint, waiting
from bench.people import People, granted, wait_for_a_young_step
from bench.verification import ANSWER, cpu_seconds
from nightlatch.factor import EnrollmentRequest
from nightlatch.plugins.loader import load_factors
from testbed.daemon import Nightlatchd

if TYPE_CHECKING:
    from pathlib import Path

STREAMS = 8
TYPING = 2
"""How many people type recovery codes at the same moment, while others use their apps."""
CODES = 10
_NOBODY = """
[[directories]]
name = "people"
kind = "pam"
socket = "/nonexistent/pamcheck.sock"
"""


def measure(folder: Path, sets: int, calls: int) -> list[Figure]:
    """All codes of `sets` people beside `calls` TOTP verifications; a third of the codes under mixed load."""
    people = People(2 * calls + sets)
    people.enroll(folder / "state")
    facade = load_factors(("recovery",), {})["recovery"]
    owners = people.accounts[-sets:]
    wanted = [(account, EnrollmentRequest("paper")) for account in owners]
    made = mint(people, folder / "state", "recovery", facade, wanted)
    daemon = Nightlatchd(folder, _NOBODY)
    daemon.config.write_text(daemon.config.read_text().replace('["totp"]', '["totp", "recovery"]'))
    daemon.start()
    try:
        wait_for_a_young_step()
        codes = [
            waiting(people, account, enrollment.details[place][1])
            for place in range(CODES)  # a person's codes far from each other
            for account, enrollment in zip(owners, made, strict=True)
        ]
        alone = people.answers(iter(range(calls)))
        mixed = people.answers(iter(range(calls, 2 * calls)))
        return uvloop.run(_figures(daemon, codes, alone, mixed))
    finally:
        daemon.stop()


async def _figures(
    daemon: Nightlatchd, codes: list[bytes], alone: list[bytes], mixed: list[bytes]
) -> list[Figure]:
    apart = len(codes) // 3
    totp, totp_cpu = await _timed(daemon, alone, STREAMS)
    recovery, recovery_cpu = await _timed(daemon, codes[apart:], STREAMS)
    (beside_codes, _), _ = await asyncio.gather(
        _timed(daemon, mixed, STREAMS), _timed(daemon, codes[:apart], TYPING)
    )
    rate = Figure(f"TOTP verification, {STREAMS} streams, this part", totp.rate, "calls/s")
    median = Figure(f"{rate.name}: median", totp.p50, "ms")
    cpu = Figure(f"{rate.name}: daemon's CPU a call", totp_cpu, "us")
    p99 = Figure(f"{rate.name}: p99", totp.p99, "ms")
    name = f"recovery code, {STREAMS} streams"
    crowd = f"TOTP beside {TYPING} streams of recovery codes"
    return [
        rate,
        median,
        p99,
        cpu,
        beside(name, recovery.rate, "calls/s", rate),
        beside(f"{name}: median", recovery.p50, "ms", median),
        beside(f"{name}: daemon's CPU a call", recovery_cpu, "us", cpu),
        beside(crowd, beside_codes.rate, "calls/s", rate),
        beside(f"{crowd}: p99", beside_codes.p99, "ms", p99),
    ]


async def _timed(daemon: Nightlatchd, requests: list[bytes], streams: int) -> tuple[Run, float]:
    """A run, and the daemon's CPU time for each call, in microseconds."""
    async with channel(daemon.pam_socket) as connection:
        answer = raw(connection, ANSWER)

        async def verify(request: bytes) -> bytes:
            reply = await answer(request)
            granted(reply)
            return reply

        before = cpu_seconds(daemon.pid)
        run = await load(verify, requests, streams)
        return run, (cpu_seconds(daemon.pid) - before) / len(requests) * 1e6
