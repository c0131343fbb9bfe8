"""The module is a guest in sshd, sudo and login: what it must leave as it found it."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1 import login_pb2
from pam_module.host import ROOT, host_with
from pam_module.raw_server import CLOSE, RIGHT, RawServer
from pam_module.scripted_daemon import ScriptedDaemon, outcome, password, prompt
from testbed.pam_client import PamCode, write_service

if TYPE_CHECKING:
    from pathlib import Path

    from pam_module.host import Host, Module

ENTRY_POINTS = {"pam_sm_authenticate", "pam_sm_setcred", "pam_sm_acct_mgmt", "pam_sm_chauthtok"}
PRESETS = {
    "_NIGHTLATCH_LOOPS": "NO",
    "NIGHTLATCH_SOCKET": "/tmp/pam.sock",  # noqa: S108, what an attacker would set
    "http_proxy": "http://127.0.0.1:1",
    "GRPC_PROXY": "http://127.0.0.1:1",
    "LDAPTLS_CACERT": "/dev/null",
    "XDG_CONFIG_HOME": "/tmp",  # noqa: S108, what an attacker would set
    "SYSTEMD_ACTIVATION_UNIT": "nightlatchd.service",
    "LISTEN_FDS": "1",
    "HOME": "/tmp",  # noqa: S108, what an attacker would set
}


def symbols(module: Module, *which: str) -> set[str]:
    """The names in the module's dynamic symbol table."""
    found = subprocess.run(["nm", "-D", *which, module.path], check=True, capture_output=True, text=True)
    return {line.split()[-1].split("@")[0] for line in found.stdout.splitlines()}


def test_exported_symbols(plain_module: Module) -> None:
    """Nothing but the entry points is exported."""
    assert symbols(plain_module, "--defined-only") == ENTRY_POINTS


def test_imported_symbols(plain_module: Module) -> None:
    """PRV-03, PRV-05: no environment, no name service, no threads, processes, signals or stdio files."""
    imported = symbols(plain_module, "--undefined-only") - {
        "pam_getenv"
    }  # the program's words, not the user's
    for word in ("getenv", "environ", "getpw", "getgr", "getaddrinfo", "pthread", "signal", "sigaction"):
        assert not [name for name in imported if word in name]
    assert not imported & {
        "fopen",
        "fopen64",
        "fork",
        "execve",
        "system",
        "popen",
        "dlopen",
        "setenv",
        "unlink",
    }


def test_hardening(plain_module: Module) -> None:
    """The library is linked with full RELRO, at once, with a stack that cannot be executed and a canary."""
    argv = ["readelf", "--wide", "--program-headers", "--dynamic", str(plain_module.path)]
    found = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert "GNU_RELRO" in found
    assert "NOW" in found
    assert [line.split()[-2] for line in found.splitlines() if "GNU_STACK" in line] == ["RW"]
    assert "__stack_chk_fail" in symbols(plain_module, "--undefined-only")


def test_size_of_the_code() -> None:
    """The module stays small enough to be read in one sitting: 1,200 lines of code at most."""
    files = list((ROOT / "pam_module").glob("*.[ch]"))
    code = 0
    for path in files:
        argv = ["cc", "-fpreprocessed", "-dD", "-E", "-P", str(path)]  # takes the comments out
        bare = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        code += sum(1 for line in bare.splitlines() if line.strip())
    assert code < 1200
    assert max(len(path.read_text().splitlines()) for path in files) <= 300


async def test_traces_after_grants(host: Host) -> None:
    """PRV-05: descriptors, signal dispositions and threads are the same before and after."""
    async with ScriptedDaemon(host.socket, outcome()):
        result = await host.login(rounds=5)
    assert result.rc == PamCode.SUCCESS
    assert result.traces[0] == result.traces[-1]


@pytest.mark.parametrize("script", [(CLOSE,), (b"\0" * 50, CLOSE), (*RIGHT[:2], CLOSE), ()])
async def test_traces_after_failures(host: Host, script: tuple[bytes | float | None, ...]) -> None:
    """PRV-05: the same when the daemon hangs up, talks rubbish or is silent."""
    with RawServer(host.socket, script):
        result = await host.login(options="timeout=1")
    assert result.rc == PamCode.AUTHINFO_UNAVAIL
    assert result.traces[0] == result.traces[-1]


@pytest.mark.parametrize("verdict", [login_pb2.VERDICT_REFUSED, login_pb2.VERDICT_UNAVAILABLE])
async def test_environment(host: Host, verdict: login_pb2.Verdict.ValueType) -> None:
    """PRV-03: no variable that a user presets changes what comes out, or where it comes from."""
    async with ScriptedDaemon(host.socket, outcome(verdict)) as daemon:
        plain = await host.login()
        preset = await host.login(env=PRESETS)
    assert (preset.rc, preset.log) == (plain.rc, plain.log)
    assert preset.rc != PamCode.SUCCESS
    assert len(daemon.begins) == 2


def run_remains(host: Host, folder: Path, *extra: str) -> str:
    """Build and run the program that looks through its own memory after a login; what it prints."""
    program = folder / "remains"
    source = ROOT / "tests" / "pam_module" / "remains.c"
    subprocess.run(["cc", "-std=c11", "-O1", "-o", program, source, "-lpam"], check=True)
    write_service(host.services, "nl-test", f"auth required {host.module.path} socket={host.socket}")
    argv = [str(program), str(host.services), "nl-test", *extra]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


@pytest.mark.parametrize("verdict", [login_pb2.VERDICT_GRANTED, login_pb2.VERDICT_REFUSED])
async def test_nothing_remains(
    plain_module: Module, tmp_path: Path, verdict: login_pb2.Verdict.ValueType
) -> None:
    """LEK-02: after the login no password, code or ticket is left anywhere in the program's memory."""
    host = host_with(plain_module, tmp_path)
    steps = [password(), prompt(ticket=b"CANARY:ticket"), outcome(verdict)]
    async with ScriptedDaemon(host.socket, *steps) as daemon:
        found = await asyncio.to_thread(run_remains, host, tmp_path)
    code = PamCode.SUCCESS if verdict == login_pb2.VERDICT_GRANTED else PamCode.AUTH_ERR
    assert found == f"rc {code.value}, answers 2, found 0"
    assert [call.answer for call in daemon.answers] == [b"CANARY:password", b"CANARY:123456"]


async def test_nothing_remains_after_a_broken_call(plain_module: Module, tmp_path: Path) -> None:
    """LEK-02: the same when the daemon is late with its answer to the code."""
    host = host_with(plain_module, tmp_path)
    async with ScriptedDaemon(host.socket, prompt(ticket=b"CANARY:ticket" * 99), login_pb2.Step()):
        assert (await asyncio.to_thread(run_remains, host, tmp_path)).endswith("answers 1, found 0")


async def test_what_remains_would_be_found(plain_module: Module, tmp_path: Path) -> None:
    """The search of LEK-02 finds an answer that is left behind."""
    host = host_with(plain_module, tmp_path)
    async with ScriptedDaemon(host.socket, outcome()):
        assert (await asyncio.to_thread(run_remains, host, tmp_path, "keep")).endswith("found 1")
