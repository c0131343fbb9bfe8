"""One PAM authentication, factor only, with a fresh connection, beside modules of Debian in the same run."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pyotp

from bench.figures import Figure, beside
from bench.people import People, wait_for_a_young_step
from bench.verification import cpu_seconds
from testbed.codes import STEP
from testbed.daemon import Nightlatchd
from testbed.front_door import MODULE
from testbed.pamcheck import PrivateUsers

_LOCAL = """
[[directories]]
name = "local"
kind = "pam"
socket = "/nonexistent/pamcheck.sock"
"""
GOOGLE, UNIX, OURS = "pam_google_authenticator", "pam_unix", "pam_nightlatch"


def measure(folder: Path, count: int) -> list[Figure]:
    """Wall and CPU time of `count` authentications through each module, all in one process."""
    people = People(count, "local", "p")
    people.enroll(folder / "state")
    names = [account.name for account in people.accounts]
    machine = PrivateUsers(folder / "machine", dict.fromkeys(names, "pw"))
    daemon = Nightlatchd(folder, _LOCAL)
    daemon.machine = machine
    _services(machine, folder, daemon)
    daemon.start()
    try:
        wait_for_a_young_step()
        plan = folder / "plan.json"
        plan.write_text(
            json.dumps(
                {
                    GOOGLE: [[name, _google(folder, name)] for name in names],
                    UNIX: [[name, "pw"] for name in names],
                    OURS: [[name, app.fresh()] for name, app in zip(names, people.apps, strict=True)],
                }
            )
        )
        before = cpu_seconds(daemon.pid)
        ran = subprocess.run(
            machine.command(sys.executable, Path(__file__).with_name("pam_inside.py"), plan),
            env={**machine.environment, "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            text=True,
            check=False,
        )
        used = (cpu_seconds(daemon.pid) - before) / count * 1e3
    finally:
        daemon.stop()
    if ran.returncode != 0:
        raise RuntimeError(ran.stderr)
    return _figures(json.loads(ran.stdout), used)


def _figures(ran: dict[str, dict[str, float]], daemon_cpu: float) -> list[Figure]:
    figures = []
    google = Figure(f"{GOOGLE}: median", ran[GOOGLE]["median_ms"], "ms")
    unix = Figure(f"{UNIX}: median", ran[UNIX]["median_ms"], "ms")
    figures += [google, unix]
    figures += [beside(f"{OURS}: median", ran[OURS]["median_ms"], "ms", other) for other in (google, unix)]
    figures += [
        Figure(f"{name}: CPU of its process", ran[name]["cpu_ms"], "ms") for name in (GOOGLE, UNIX, OURS)
    ]
    return [*figures, Figure(f"{OURS}: CPU of the daemon", daemon_cpu, "ms")]


def _services(machine: PrivateUsers, folder: Path, daemon: Nightlatchd) -> None:
    (folder / "google").mkdir()
    lines = {
        GOOGLE: f"auth required pam_google_authenticator.so secret={folder}/google/${{USER}} user=root",
        UNIX: "auth required pam_unix.so",
        OURS: f"auth required {MODULE} mode=factor socket={daemon.pam_socket}",
    }
    for name, line in lines.items():
        machine.write_service(f"{line}\n", name)


def _google(folder: Path, name: str) -> str:
    """A state file of pam_google_authenticator, and a code for it."""
    secret = pyotp.random_base32()
    path = folder / "google" / name
    path.touch(mode=0o600)
    path.write_text(f'{secret}\n" WINDOW_SIZE 3\n" DISALLOW_REUSE\n" TOTP_AUTH\n')
    return pyotp.TOTP(secret, digest=hashlib.sha1).at(int(time.time()) // STEP * STEP)
