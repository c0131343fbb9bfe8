"""``nightlatchd``: how the daemon's process starts, and how it does not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testbed.command import NIGHTLATCH, NIGHTLATCHD, program
from testbed.configuration import Folder
from testbed.process import Child, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


PROTECTED = """
import ctypes, os, resource
from nightlatch.cli.serve import protect_process
protect_process()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE), os.umask(0))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A configuration whose only directory is this machine's, which nobody asks."""
    folder = Folder(tmp_path)
    before = folder.file.read_text().partition("[[directories]]")[0]
    folder.file.write_text(
        f'{before}[[directories]]\nname = "local"\nkind = "pam"\nsocket = "{tmp_path}/none"\n'.replace(
            "\\\n", "\n"
        )
    )
    return folder


@pytest.fixture
def running(folder: Folder, tmp_path: Path) -> Iterator[Child]:
    """A real daemon, started with a PYTHONPATH and a folder of its own that it must not look at."""
    stray = tmp_path / "stray"
    stray.mkdir()
    (stray / "sitecustomize.py").write_text(
        f"import sys\nopen({str(tmp_path / 'loaded')!r}, 'a').write(str(sys.flags.isolated))\n".replace(
            "\\\n", "\n"
        )
    )
    env = {**os.environ, "PYTHONPATH": str(stray)}
    child = Child([NIGHTLATCHD, "serve", "--config", folder.file], tmp_path / "log", env=env)
    try:
        socket = folder.root / "sockets" / "admin.sock"
        status = [str(NIGHTLATCH), "status", "--json", "--socket", str(socket)]
        wait_until(socket.exists, "the admin socket", child)
        wait_until(
            lambda: b"version" in subprocess.run(status, capture_output=True, check=False).stdout,
            "status",
            child,
        )
        yield child
    finally:
        child.stop()


def test_version() -> None:
    """It tells its version and ends."""
    run = program(NIGHTLATCHD, "--version")
    assert (run.returncode, run.stdout.startswith("nightlatchd ")) == (0, True)


@pytest.mark.parametrize("arguments", [[], ["serv"], ["serve", "--conf", "x"], ["serve", "x"]])
def test_wrong_use(arguments: list[str]) -> None:
    """Exit code 2, and nothing starts."""
    assert program(NIGHTLATCHD, *arguments).returncode == 2


def test_a_wrong_configuration_starts_nothing(folder: Folder) -> None:
    """Exit code 2, every problem on stderr, and no socket, state or key was made."""
    folder.replace('level = "info"', 'level = "loud"')
    folder.replace('enabled = ["totp"]', 'enabled = ["totpp"]')
    run = program(NIGHTLATCHD, "serve", "--config", folder.file)
    assert run.returncode == 2
    assert "log.level: must be" in run.stderr
    assert 'no plugin "totpp" is installed' in run.stderr
    assert "2 problems" in run.stderr
    assert not (folder.root / "state").exists()
    assert list((folder.root / "sockets").iterdir()) == []


def test_a_configuration_that_others_may_write_starts_nothing(folder: Folder) -> None:
    """STO-05: and it is said what to do."""
    folder.file.chmod(0o666)
    run = program(NIGHTLATCHD, "serve", "--config", folder.file)
    assert run.returncode == 2
    assert "Run: chmod go-w" in run.stderr


def test_the_process_is_protected() -> None:
    """LEK-02, MUST 1 and 2: not dumpable, no core, umask 077."""
    run = program(Path(sys.executable), "-c", PROTECTED)
    assert run.stdout == f"0 (0, 0) {0o077}\n"


def test_the_daemon_is_cut_off_from_its_surroundings(running: Child, folder: Folder) -> None:
    """PLG-02: the process that serves runs with -I, and has loaded nothing from PYTHONPATH.

    LEK-02: nobody else may read what it has in memory, and no secret is in its arguments.
    """
    arguments = Path(f"/proc/{running.pid}/cmdline").read_bytes().split(b"\0")
    assert arguments[1:4] == [b"-I", b"-m", b"nightlatch.cli.serve"]
    assert (folder.root / "loaded").read_text() == "0"
    limits = Path(f"/proc/{running.pid}/limits").read_text()
    assert any(line.split()[:6] == ["Max", "core", "file", "size", "0", "0"] for line in limits.splitlines())
    assert "Umask:\t0077" in Path(f"/proc/{running.pid}/status").read_text()


def test_the_command_line_talks_to_the_daemon(running: Child, folder: Folder) -> None:
    """The real daemon answers: its parts are listed, and the directory that is away is a finding."""
    socket = folder.root / "sockets" / "admin.sock"
    run = program(NIGHTLATCH, "status", "--json", "--socket", socket)
    parts = {(part["kind"], part["name"]): part["healthy"] for part in json.loads(run.stdout)["parts"]}
    assert parts["directory", "local"] is False
    assert run.returncode == 1
    unknown = program(NIGHTLATCH, "credential", "enroll", "nothing", "alice", "--socket", socket)
    assert unknown.returncode == 1
    assert "nothing" in unknown.stderr
    running.signal(signal.SIGTERM)
    assert running.wait() == 0
    gone = program(NIGHTLATCH, "status", "--socket", socket)
    assert gone.returncode == 3
