"""A whole PAM program with the module in its stack: pamtester, with an /etc/pam.d of its own."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2
from pam_module.scripted_daemon import ScriptedDaemon, outcome, password, prompt
from testbed.pam_client import write_service

if TYPE_CHECKING:
    from pam_module.host import Host

PRIVATE = 'mount --bind "$0" /etc/pam.d && exec pamtester "$@"'  # seen by this one process only


def pamtester(host: Host, typed: str) -> subprocess.CompletedProcess[str]:
    """Run pamtester in a mount namespace where /etc/pam.d is the test's folder."""
    line = f"auth required {host.module.path} socket={host.socket}"
    write_service(host.services, "nl-test", line, "account required pam_permit.so")
    operations = ["authenticate", "setcred", "acct_mgmt"]
    argv = ["unshare", "-m", "--propagation", "private", "sh", "-c", PRIVATE, str(host.services)]
    preload = " ".join(str(path) for path in host.module.preload)
    return subprocess.run(
        ["env", f"LD_PRELOAD={preload}", *argv, "nl-test", "alice", *operations],
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", **dict(host.module.env)},
    )


async def test_pamtester_is_let_in(host: Host) -> None:
    """Password and code at pamtester's prompts: authentication, credentials and account pass."""
    async with ScriptedDaemon(host.socket, password(), prompt(), outcome(message="Welcome")) as daemon:
        done = await asyncio.to_thread(pamtester, host, "secret\n123456\n")
    assert done.returncode == 0, done.stderr
    assert "successfully authenticated" in done.stdout
    assert [call.answer for call in daemon.answers] == [b"secret", b"123456"]


async def test_pamtester_is_kept_out(host: Host) -> None:
    """The same with a refusal: pamtester fails, and shows the daemon's words without their escapes."""
    refused = outcome(login_pb2.VERDICT_REFUSED, message="No\x1b]0;entry\x07")
    async with ScriptedDaemon(host.socket, password(), prompt(), refused):
        done = await asyncio.to_thread(pamtester, host, "secret\n000000\n")
    assert done.returncode == 1
    assert "Authentication failure" in done.stderr
    assert "No?]0;entry?" in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr
