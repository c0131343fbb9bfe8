"""`nightlatch policy report` over ten thousand people of a real slapd, and who signs in meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import uvloop

from bench.figures import Figure, beside
from bench.load import Run, channel, raw
from bench.people import People, granted, wait_for_a_young_step
from bench.verification import ANSWER
from nightlatch.model import Account
from testbed.daemon import Nightlatchd
from testbed.front_door import directory_table
from testbed.pki import make_pki
from testbed.slapd import GROUPS, SERVICE_DN, Parts, Slapd, group_dn, group_of_names, person_dn

if TYPE_CHECKING:
    from pathlib import Path

PACE = 25
"""Logins a second, whatever becomes of those before."""
LEVELS = 5
GROUPS_OF_PEOPLE = 100
_LIMITS = f'limits dn.exact="{SERVICE_DN}" size.prtotal=unlimited\n'
_RULES = f"""
[policy]
administrators = ["{group_dn("level4")}"]
[[policies]]
name = "administrators"
match = {{ scope = "administrators", services = ["sshd", "sudo"] }}
factors = ["totp"]
[[policies]]
name = "staff"
match = {{ groups = ["{group_dn("g7")}", "!g8"], networks = ["192.0.2.0/24"] }}
enrollment = "self"
grace_logins = 3
[[policies]]
name = "watched"
match = {{ scope = "everyone" }}
second_factor = "observe"
"""


def measure(folder: Path, count: int, logins: int) -> list[Figure]:
    """A report and a plan over `count` people, with `logins` TOTP logins before and during the report."""
    folder.mkdir(mode=0o755)
    people = People(max(2 * logins, count // 10))
    people.accounts = [_account(number) for number in range(len(people.accounts))]
    people.enroll(folder / "state")
    slapd_folder = folder / "slapd"
    slapd_folder.mkdir(mode=0o755)
    slapd = Slapd(slapd_folder, make_pki(folder / "pki"), (), Parts(directives=_LIMITS, ldif=_ldif(count)))
    slapd.start()
    daemon = Nightlatchd(folder, directory_table(slapd) + f'group_base = "{GROUPS}"\n', extra=_RULES)
    try:
        daemon.start()
        return uvloop.run(_measure(daemon, people, count, logins))
    finally:
        daemon.stop()
        slapd.stop()


async def _measure(daemon: Nightlatchd, people: People, count: int, logins: int) -> list[Figure]:
    wait_for_a_young_step()
    before, during = (people.answers(iter(range(start, start + logins))) for start in (0, logins))
    idle = await _trickle(daemon, before)
    seconds, report = await _command(daemon, "report")
    assert report["people"] == count
    reporting = asyncio.create_task(_reports(daemon))
    busy = await _trickle(daemon, during)
    reporting.cancel()
    await asyncio.gather(reporting, return_exceptions=True)
    planned, plan = await _command(daemon, "plan", str(daemon.config))
    assert (plan["people"], plan["changes"]) == (count, [])
    p99 = Figure("TOTP by slapd's people, idle: p99", idle.p99, "ms")
    return [
        Figure(f"policy report, {count:,} people", seconds, "s"),
        Figure(f"policy plan, {count:,} people", planned, "s"),
        Figure("TOTP by slapd's people, idle: median", idle.p50, "ms"),
        p99,
        Figure("TOTP beside one report after another: median", busy.p50, "ms"),
        beside("TOTP beside one report after another: p99", busy.p99, "ms", p99),
    ]


async def _reports(daemon: Nightlatchd) -> None:
    while True:
        await _command(daemon, "report")


async def _command(daemon: Nightlatchd, *words: str) -> tuple[float, dict[str, Any]]:
    began = time.perf_counter()
    done = await asyncio.to_thread(daemon.command, "policy", *words, "--json")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "error" in answer:
        raise AssertionError(answer["error"])
    return time.perf_counter() - began, answer


async def _trickle(daemon: Nightlatchd, requests: list[bytes]) -> Run:
    """Logins at a steady pace (an open loop)."""
    times: list[float] = []
    async with channel(daemon.pam_socket) as connection:
        answer = raw(connection, ANSWER)

        async def one(request: bytes, due: float) -> None:
            await asyncio.sleep(due - time.perf_counter())
            granted(await answer(request))
            times.append(time.perf_counter() - due)

        began = time.perf_counter() + 0.1
        await asyncio.gather(*(one(request, began + at / PACE) for at, request in enumerate(requests)))
    times.sort()
    return Run(PACE, times[len(times) // 2] * 1e3, times[len(times) * 99 // 100] * 1e3)


def _account(number: int) -> Account:
    return Account("corp", _uuid(number), f"person{number:05}", person_dn(f"person{number:05}"))


def _uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def _ldif(count: int) -> str:
    """People, a hundred groups with a tenth of them each in three, and five levels of groups above."""
    names = [f"person{number:05}" for number in range(count)]
    entries = [
        f"dn: {person_dn(uid)}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: Example\n"
        f"entryUUID: {_uuid(number)}\n\n"
        for number, uid in enumerate(names)
    ]
    for group in range(GROUPS_OF_PEOPLE):
        members = [
            uid
            for number, uid in enumerate(names)
            if (number * 7 + number // 100) % GROUPS_OF_PEOPLE in _ring(group)
        ]
        entries.append(group_of_names(f"g{group}", *map(person_dn, members)))
    for level in range(LEVELS):
        below = [f"level{level - 1}"] if level else [f"g{group}" for group in range(5)]
        entries.append(group_of_names(f"level{level}", *map(group_dn, below)))
    return "".join(entries)


def _ring(group: int) -> set[int]:
    return {(group + step) % GROUPS_OF_PEOPLE for step in range(3)}
