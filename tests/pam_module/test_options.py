"""The words after the module's name, and the phases that this version does not have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1 import login_pb2
from pam_module.scripted_daemon import ScriptedDaemon, outcome, password, prompt
from testbed.pam_client import PamCode

if TYPE_CHECKING:
    from pam_module.host import Host

ROOT = Path(__file__).parents[2]
WRONG = [
    "fail_opne=1",
    "fail_open",
    "Debug",
    "debug=1",
    "debugger",
    "use_first_pass=1",
    "use_first_pass try_first_pass",
    "timeout",
    "timeout=",
    "timeout=0",
    "timeout=301",
    "timeout=-1",
    "timeout=+5",
    "timeout=5s",
    "timeout=0x5",
    "timeout=4294967326",
    "timeout=99999999999999999999999999",
    "server_uid=nightlatch",
    "server_uid=-1",
    "server_uid=4294967295",
    "server_uid=",
    "max_prompts=0",
    "max_prompts=101",
    "mode=",
    "mode=factor+password",
    "mode=password",
    "socket=pam.sock",
    "socket=",
    "socket=/",
    "socket=/run/",
    f"socket=/run/{'x' * 200}",
    "config=/etc/nightlatch.conf",
]


@pytest.mark.parametrize("options", WRONG)
async def test_wrong_options(host: Host, options: str) -> None:
    """PAM-06, PAM-07: an unknown, misspelt or out-of-range option stops the login, and the log names it."""
    async with ScriptedDaemon(host.socket, outcome()) as daemon:
        result = await host.login(options=options)
    assert result.rc == PamCode.SERVICE_ERR
    assert daemon.begins == []
    assert any(line.startswith("3 ") and options.rsplit(maxsplit=1)[-1] in line for line in result.log)


@pytest.mark.parametrize(
    "options",
    [
        "",
        "debug debug",
        "timeout=1",
        "timeout=300",
        "max_prompts=1 try_first_pass",
        "mode=factor",
        "mode=password+factor use_first_pass",
        "server_uid=0",
        "server_uid=4294967294",
    ],
)
async def test_right_options(host: Host, options: str) -> None:
    """Every option is accepted in its whole range."""
    async with ScriptedDaemon(host.socket, outcome()):
        assert (await host.login(options=options)).rc == PamCode.SUCCESS


def test_every_option_is_in_the_man_page() -> None:
    """The man page has every option that the code reads, and no other."""
    source = (ROOT / "pam_module" / "options.c").read_text()
    page = (ROOT / "pam_module" / "pam_nightlatch.8").read_text()
    read = set(re.findall(r'(?:after|strcmp)\(word, "([a-z_]+=?)"', source))
    listed = set(re.findall(r"^\.It Cm ([a-z_]+=?)", page, re.MULTILINE))
    assert read == listed
    assert len(read) == 8


EARLIER = "auth optional pam_exec.so expose_authtok quiet /bin/true"  # asks, and leaves PAM_AUTHTOK


async def test_use_first_pass(host: Host) -> None:
    """use_first_pass answers the password prompt from the earlier module and asks only for the code."""
    async with ScriptedDaemon(host.socket, password(), prompt("Code: "), outcome()) as daemon:
        result = await host.login(
            "secret", "123456", options="use_first_pass", stack=[EARLIER, "auth required {line}"]
        )
    assert result.rc == PamCode.SUCCESS
    assert result.prompts == ("Password: ", "Code: ")
    assert [call.answer for call in daemon.answers] == [b"secret", b"123456"]


async def test_use_first_pass_without_a_password(host: Host) -> None:
    """use_first_pass never asks for the password: without an earlier one it denies."""
    async with ScriptedDaemon(host.socket, password(), outcome()) as daemon:
        result = await host.login("secret", options="use_first_pass")
    assert (result.rc, result.prompts, daemon.answers) == (PamCode.AUTH_ERR, (), [])


async def test_use_first_pass_only_once(host: Host) -> None:
    """A daemon that asks for the password again does not get the same one again."""
    async with ScriptedDaemon(host.socket, password()) as daemon:
        result = await host.login("secret", options="use_first_pass", stack=[EARLIER, "auth required {line}"])
    assert result.rc == PamCode.AUTH_ERR
    assert len(daemon.answers) == 1


@pytest.mark.parametrize("stack", [[EARLIER, "auth required {line}"], ["auth required {line}"]])
async def test_try_first_pass(host: Host, stack: list[str]) -> None:
    """try_first_pass takes the earlier module's password, and asks where there is none."""
    async with ScriptedDaemon(host.socket, password(), outcome()) as daemon:
        result = await host.login("secret", options="try_first_pass", stack=stack)
    assert (result.rc, len(result.prompts)) == (PamCode.SUCCESS, 1)
    assert [call.answer for call in daemon.answers] == [b"secret"]


@pytest.mark.parametrize(("accepted", "kept"), [(True, b"secret"), (False, b"")])
async def test_password_for_later_modules(host: Host, tmp_path: Path, accepted: bool, kept: bytes) -> None:  # noqa: FBT001, a case
    """A typed password that was accepted is PAM_AUTHTOK for later modules; codes and refused ones are not."""
    found = tmp_path / "found"
    script = tmp_path / "save"
    script.write_text(f"#!/bin/sh\ntr -d '\\0' >{found}\n")
    script.chmod(0o755)
    stack = ["auth optional {line}", f"auth optional pam_exec.so expose_authtok quiet {script}"]
    steps = (
        [password(), prompt(), outcome()] if accepted else [password(), outcome(login_pb2.VERDICT_REFUSED)]
    )
    async with ScriptedDaemon(host.socket, *steps):
        await host.login("secret", *(["123456"] if accepted else [""]), stack=stack)
    assert found.read_bytes() == kept


@pytest.mark.parametrize(("phase", "operation"), [("account", "acct_mgmt"), ("password", "chauthtok")])
async def test_phases_that_are_not_there(host: Host, phase: str, operation: str) -> None:
    """PAM-08, PAM-09: the account and password phases fail and say why; they never succeed doing nothing."""
    result = await host.login(stack=[f"{phase} required {{line}}"], operations=[operation])
    assert result.rc == PamCode.SERVICE_ERR
    assert any("this version" in line and line.startswith("3 ") for line in result.log)


async def test_setcred_after_a_grant(host: Host) -> None:
    """Programs set credentials after a login; there are none to set, so that succeeds."""
    async with ScriptedDaemon(host.socket, outcome()):
        result = await host.login(operations=["authenticate", "setcred"])
    assert result.operations == {"authenticate": PamCode.SUCCESS, "setcred": PamCode.SUCCESS}
