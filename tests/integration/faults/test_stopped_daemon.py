"""The daemon stands still (SIGSTOP) in the middle of logins over SSH, or sshd is there before it."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.faults.conftest import MODULE_SECONDS
from testbed.front_door import MODULE
from testbed.slapd import password_of
from testbed.ssh_login import CODE, PASSWORD, WELCOME
from testbed.sshd import SERVICE

if TYPE_CHECKING:
    import pexpect

    from testbed.front_door import FrontDoor

SLACK = 8.0
"""On a machine that does other things, and for sshd's own part."""
OUTAGE = "Sign-in is not possible at the moment. Nothing is wrong with your password."
UNAVAILABLE = "Authentication service cannot retrieve authentication info"
"""What libpam calls PAM_AUTHINFO_UNAVAIL, in sshd's log."""


def ending(client: pexpect.spawn[str]) -> str:
    """What the person reads until the connection ends without a shell."""
    assert client.expect([WELCOME, "closed by|Permission denied"]) == 1
    said = str(client.before)
    client.close()
    return said


def failures(house: FrontDoor) -> int:
    """How many failures are remembered, in all scopes."""
    with sqlite3.connect(house.daemon.folder / "state" / "nightlatch.db") as database:
        states = [json.loads(state) for (state,) in database.execute("select state from limits")]
    return sum(len(state.get("failures", ())) for state in states)


@pytest.mark.parametrize(
    ("user", "moment", "charged"),
    [("alice", "the beginning", 0), ("bob", "the password", 0), ("carol", "the code", 1)],
)
def test_a_daemon_that_stands_still_is_an_outage(
    house: FrontDoor, user: str, moment: str, charged: int
) -> None:
    """FLT-01: denied in the module's time, as an outage, charged once at most; awake, it lets people in."""
    app = house.enroll(user)
    before, told = failures(house), house.sshd.log.count(UNAVAILABLE)
    client = house.ssh(user).open()
    began = time.monotonic()
    if moment == "the code":
        client.expect(PASSWORD)
        client.sendline(password_of(user))
        client.expect(CODE)
    elif moment == "the password":
        client.expect(PASSWORD)
    house.daemon.signal(signal.SIGSTOP)
    try:
        if moment != "the beginning":
            began = time.monotonic()
            client.sendline(password_of(user) if moment == "the password" else app.wrong())
        said = ending(client)
        assert time.monotonic() - began < MODULE_SECONDS + SLACK
    finally:
        house.daemon.signal(signal.SIGCONT)
    # Where there are words for the person, OpenSSH shows them, and does not log what libpam said.
    assert OUTAGE in said or (moment == "the beginning" and house.sshd.log.count(UNAVAILABLE) == told + 1)
    assert "refused" not in said
    assert house.sign_in(app, user)
    assert failures(house) <= before + charged


def test_an_sshd_that_is_there_before_the_daemon_stays_closed(house: FrontDoor) -> None:
    """FLT-02: whoever comes before the daemon is denied in the module's time; with it they get in."""
    app = house.enroll("dave")
    house.daemon.stop()
    try:
        began, told = time.monotonic(), house.sshd.log.count(UNAVAILABLE)
        assert not house.ssh("dave").run({PASSWORD: password_of("dave"), CODE: app.code()}, seconds=30)
        assert time.monotonic() - began < MODULE_SECONDS + SLACK
        assert house.sshd.log.count(UNAVAILABLE) == told + 1
    finally:
        house.daemon.start()
    assert house.sign_in(app, "dave")


def mapped(path: Path) -> set[int]:
    """The inodes of all files that processes have mapped under this path, those that were replaced too."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines = (process / "maps").read_text(errors="replace").splitlines()
        except OSError:
            continue
        found |= {int(line.split()[4]) for line in lines if f" {path}" in line}
    return found


def test_an_open_login_outlives_the_replacement_of_the_module(house: FrontDoor) -> None:
    """FLT-02: renamed over before somebody types the code: that login ends well, the next has the new one."""
    module, newer = house.folder / "pam_nightlatch.so", house.folder / "pam_nightlatch.so.new"
    for path in (module, newer):
        shutil.copy(MODULE, path)
    inodes = [path.stat().st_ino for path in (module, newer)]
    service = house.sshd.folder / "pam.d" / SERVICE
    before = service.read_text()
    service.write_text(before.replace(str(MODULE), str(module)))
    app = house.enroll("alice", "second")
    try:
        client = house.ssh().open()
        client.expect(PASSWORD)
        client.sendline(password_of("alice"))
        client.expect(CODE)
        assert mapped(module) == {inodes[0]}
        newer.rename(module)
        client.sendline(app.fresh())
        client.expect(WELCOME)
        client.close()
        other = house.ssh("bob").open()
        other.expect(PASSWORD)
        assert inodes[1] in mapped(module)
        other.close()
    finally:
        service.write_text(before)
