"""The public keys that sshd reports reach the daemon, and nothing else does."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1 import login_pb2
from pam_module.host import host_with
from pam_module.scripted_daemon import ScriptedDaemon, outcome, prompt
from testbed.pam_client import PamCode
from testbed.ssh_login import SshLogin
from testbed.sshd import Sshd, SshUser

if TYPE_CHECKING:
    from pathlib import Path

    from pam_module.host import Host, Module

INFO = "SSH_AUTH_INFO_0"
KEY = "ssh-ed25519 " + b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(range(32))).decode()
SK_KEY = "sk-ecdsa-sha2-nistp256@openssh.com " + b64encode(bytes(127)).decode()
LONGEST = "ssh-rsa " + "A" * (4096 - len("ssh-rsa "))


async def sent(host: Host, info: str | bytes, **pam_env: str | bytes) -> list[str]:
    """The evidence that the daemon gets when sshd says `info`."""
    async with ScriptedDaemon(host.socket, outcome()) as daemon:
        result = await host.login(pam_env={INFO: info, **pam_env})
    assert result.rc == PamCode.SUCCESS
    kinds = {piece.WhichOneof("kind") for piece in daemon.begins[0].evidence}
    assert kinds <= {"ssh_public_key"}
    return [piece.ssh_public_key for piece in daemon.begins[0].evidence]


@pytest.mark.parametrize(
    ("info", "keys"),
    [
        (f"publickey {KEY}\n", [KEY]),
        (f"publickey {KEY}", [KEY]),
        (f"publickey {SK_KEY}\npassword\npublickey {KEY}\n", [SK_KEY, KEY]),
        (f"hostbased {KEY}\nkeyboard-interactive/pam\npublickey {KEY}\n", [KEY]),
        (f"publickey {LONGEST}\n", [LONGEST]),
        (f"publickey {LONGEST}\n" * 4, [LONGEST] * 4),
        (f"publickey {KEY}\n" * 9, [KEY] * 4),
    ],
)
async def test_public_keys_are_sent(host: Host, info: str, keys: list[str]) -> None:
    """Each key that has passed is sent as it stands, without the method before it: four at most."""
    assert await sent(host, info) == keys


@pytest.mark.parametrize(
    "info",
    [
        "",
        "\n\n",
        "publickey",
        "publickey \n",
        "publickey ssh-ed25519\n",
        "publickey ssh-ed25519 \n",
        f"publickey  {KEY}\n",
        f" publickey {KEY}\n",
        f"Publickey {KEY}\n",
        f"publickey {KEY} a comment\n",
        f"publickey {KEY} \n",
        f"publickey {KEY}\r\n",
        f"publickey {KEY[:-1]}\n",
        f"publickey {KEY}=\n",
        "publickey ssh-ed25519 AAA=AAAA\n",
        "publickey ssh-ed25519 A===\n",
        "publickey ssh-ed25519 AA-_\n",
        f"publickey {KEY[:-1]}\x1b\n",
        f"publickey {KEY[:-1]}\xe9\n",
        f"publickey ssh-ed25519\t{KEY[12:]}\n",
        f"publickey SSH-ED25519{KEY[11:]}\n",
        f"publickey {LONGEST}AAAA\n",
        "publickey " + "a" * 100_000,
        b"publickey ssh-\xff AAAA\n",
        f"publickey\n{KEY}\n",
    ],
)
async def test_what_is_no_key_is_passed_over(host: Host, info: str | bytes) -> None:
    """MUST 2: a line with anything but a whole key sends nothing, spoils no other, and fails no login."""
    assert await sent(host, info) == []
    text = info.encode() if isinstance(info, str) else info
    assert await sent(host, text.rstrip(b"\n") + f"\npublickey {KEY}\n".encode()) == [KEY]


async def test_nothing_else_is_sent(host: Host) -> None:
    """MUST 1: no other variable of PAM's environment, and none of the process's, becomes evidence."""
    others = {"SSH_AUTH_INFO_1": f"publickey {KEY}\n", "SSH_USER_AUTH": f"publickey {KEY}\n"}
    assert await sent(host, "password\n", **others) == []
    async with ScriptedDaemon(host.socket, outcome()) as daemon:
        result = await host.login(env={INFO: f"publickey {KEY}\n"})
    assert result.rc == PamCode.SUCCESS
    assert list(daemon.begins[0].evidence) == []


async def test_evidence_comes_with_the_login_alone(host: Host) -> None:
    """It is part of the beginning, in either mode, and changes neither prompts nor answers."""
    async with ScriptedDaemon(host.socket, prompt(), outcome()) as daemon:
        result = await host.login("123456", options="mode=factor", pam_env={INFO: f"publickey {KEY}\n"})
    assert (result.rc, result.prompts) == (PamCode.SUCCESS, ("Code: ",))
    begin = login_pb2.BeginLoginRequest(
        user="alice",
        service="nl-test",
        origin=login_pb2.Origin(),
        primary=login_pb2.PRIMARY_ESTABLISHED,
        evidence=[login_pb2.Evidence(ssh_public_key=KEY)],
    )
    assert daemon.begins == [begin]


async def test_a_real_sshd_reports_its_key(plain_module: Module, door_folder: Path, tmp_path: Path) -> None:
    """After publickey, OpenSSH's server tells the key that it verified; without one, nothing is sent."""
    host = host_with(plain_module, tmp_path)
    users = (SshUser("nlkey", 20_711, needs_key=True), SshUser("nlplain", 20_712))
    auth = f"auth required {plain_module.path} socket={host.socket} mode=factor"
    server = Sshd(door_folder / "sshd", users, auth)
    seen = {}
    server.start()
    try:
        for user in users:
            async with ScriptedDaemon(host.socket, prompt(), outcome(user=user.name)) as daemon:
                login = SshLogin(server.port, user.name, tmp_path, server.key if user.needs_key else None)
                assert await asyncio.to_thread(login.run, {"Code: ": "123456"}), login.transcript
            seen[user.name] = [piece.ssh_public_key for piece in daemon.begins[0].evidence]
    finally:
        server.stop()
    verified = " ".join(server.key.with_suffix(".pub").read_text().split()[:2])
    assert seen == {"nlkey": [verified], "nlplain": []}
