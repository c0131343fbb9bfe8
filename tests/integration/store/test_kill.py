"""A daemon that dies in the middle of a group leaves nothing half written, and loses nothing it told."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from testbed.fixtures_store import run
from testbed.process import Child, wait_until

ROOT = Path(__file__).parents[3]
KILLS = 20


def decide_until_killed(url: str, log: Path, first: int, seconds: float) -> list[int]:
    """Let a process decide for a while, kill it; the numbers of the decisions that it told."""
    paths = [str(ROOT / "daemon"), str(ROOT / "tests")]
    child = Child(
        [sys.executable, Path(__file__).with_name("killed_store.py"), url, str(first)],
        log,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )
    wait_until(lambda: "open\n" in child.output(), "the deciding process", child)
    time.sleep(seconds)  # the point of the test: an arbitrary moment
    child.signal(signal.SIGKILL)
    child.wait()
    lines = child.output().split("\n")[1:-1]  # the last one may be half a line
    return [int(line) for line in lines]


def test_nothing_is_half_written_and_nothing_told_is_lost(store_url: str, tmp_path: Path) -> None:
    """STO-03: over 20 kills, each decision is in all tables or in none, and every told one is there."""
    generator = random.Random(7)  # noqa: S311  # moments, not secrets
    told: list[int] = []
    for number in range(KILLS):
        log = tmp_path / f"log{number}"
        told += decide_until_killed(store_url, log, number * 1_000_000, generator.uniform(0, 0.06))
    keys = {f"n{number}" for number in told}
    credentials = {row[0] for row in run(store_url, "select credential_id from credentials")}
    spent = {row[0] for row in run(store_url, "select key from spent")}
    audit = [row[0] for row in run(store_url, "select reason from audit")]
    assert keys
    assert keys <= credentials
    assert credentials == spent == set(audit)
    assert len(audit) == len(set(audit))
    assert counted(store_url, "limits", "in_a_row") == len(audit)
    assert counted(store_url, "standings", "grace_logins") == len(audit)


def counted(url: str, table: str, name: str) -> int:
    """The sum of one number over all states of a table."""
    states = run(url, f"select state from {table}")  # noqa: S608  # a name of the test's
    return sum(json.loads(str(state))[name] for (state,) in states)
