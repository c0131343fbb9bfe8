"""The units, read by systemd's own tools: they need no systemd as the first process."""

from __future__ import annotations

import configparser
import os
import stat
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[3] / "systemd"
SERVICES = ["nightlatchd.service", "nightlatch-pamcheck.service"]
SOCKETS = [
    "nightlatch-pam.socket",
    "nightlatch-admin.socket",
    "nightlatch-account.socket",
    "nightlatch-pamcheck.socket",
]
PREFIX = "/usr/lib/nightlatch"


def run(*argv: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """A tool's exit code and all that it said."""
    return subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "LC_ALL": "C", **env},
    )


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    """A copy of the units whose programs exist, so that a missing program would be found."""
    programs = tmp_path / "prefix" / "bin"
    programs.mkdir(parents=True)
    for name in ("python3", "nightlatchd", "nightlatch-pamcheck"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    units = tmp_path / "units"
    units.mkdir()
    for name in SERVICES + SOCKETS:
        text = (SOURCE / name).read_text().replace(PREFIX, str(tmp_path / "prefix"))
        (units / name).write_text(text)
    return units


def verify(units: Path) -> tuple[int, list[str]]:
    """What `systemd-analyze verify` says about these units; what it says of the machine's own is left out."""
    names = [units / name for name in SERVICES + SOCKETS]
    done = run("systemd-analyze", "verify", *names, SYSTEMD_UNIT_PATH=f"{units}:/usr/lib/systemd/system")
    said = (done.stdout + done.stderr).splitlines()
    return done.returncode, [line for line in said if "nightlatch" in line or str(units) in line]


def settings(name: str) -> configparser.ConfigParser:
    """A unit's settings; of one that is given twice, the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # settings are case-sensitive
    parser.read(SOURCE / name)
    return parser


def test_every_unit_is_named_here() -> None:
    """A unit that is added is verified as well."""
    found = {path.name for path in SOURCE.glob("*.service")} | {path.name for path in SOURCE.glob("*.socket")}
    assert found == set(SERVICES + SOCKETS)


def test_systemd_has_nothing_to_say_about_the_units(staged: Path) -> None:
    """`systemd-analyze verify` accepts all units without a word."""
    assert verify(staged) == (0, [])


@pytest.mark.parametrize(
    ("unit", "right", "wrong"),
    [
        ("nightlatchd.service", "/bin/python3", "/bin/absent"),
        ("nightlatchd.service", "WatchdogSec=", "WatchDogSec="),
        ("nightlatch-pam.socket", "Service=nightlatchd.service", "Service=absent.service"),
    ],
    ids=["missing program", "misspelt setting", "unknown service"],
)
def test_a_broken_unit_would_be_noticed(staged: Path, unit: str, right: str, wrong: str) -> None:
    """The check is worth something: systemd complains about a broken unit here."""
    (staged / unit).write_text((staged / unit).read_text().replace(right, wrong))
    assert verify(staged) != (0, [])


@pytest.mark.parametrize(
    ("unit", "tenths"), [("nightlatchd.service", 15), ("nightlatch-pamcheck.service", 10)]
)
def test_the_sandbox_stays_strict(staged: Path, unit: str, tenths: int) -> None:
    """The exposure level that systemd computes (0 to 10) stays below what was reached."""
    done = run("systemd-analyze", "security", "--offline=true", f"--threshold={tenths}", staged / unit)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_has_no_capability_and_leaves_no_core(unit: str) -> None:
    """LEK-02, PRV-04: no capability, none to be gained, no core dump."""
    service = settings(unit)["Service"]
    assert service["CapabilityBoundingSet"] == ""
    assert service["AmbientCapabilities"] == ""
    assert service["NoNewPrivileges"] == "yes"
    assert service["LimitCORE"] == "0"


@pytest.mark.parametrize("unit", SERVICES)
def test_the_interpreter_is_isolated(unit: str) -> None:
    """PLG-02: neither PYTHONPATH nor a user's site-packages decide what a service imports."""
    assert settings(unit)["Service"]["ExecStart"].startswith(f"{PREFIX}/bin/python3 -I {PREFIX}/bin/")


@pytest.mark.parametrize(
    ("unit", "owner"),
    [
        ("nightlatch-pam.socket", "root"),
        ("nightlatch-admin.socket", "root"),
        ("nightlatch-pamcheck.socket", "nightlatch"),
    ],
)
def test_one_user_alone_may_connect(unit: str, owner: str) -> None:
    """Each socket belongs to the one user who may connect, in a directory that only root can change."""
    socket = settings(unit)["Socket"]
    assert (socket["SocketUser"], socket["SocketMode"], socket["DirectoryMode"]) == (owner, "0600", "0755")
    assert socket["ListenStream"].startswith("/run/nightlatch/")


def test_everybody_may_connect_to_the_account_socket_that_root_owns() -> None:
    """The command trusts a socket of root's; who connects signs in."""
    socket = settings("nightlatch-account.socket")["Socket"]
    assert (socket["SocketUser"], socket["SocketMode"], socket["DirectoryMode"]) == ("root", "0666", "0755")


def test_the_daemon_gets_its_sockets_by_name() -> None:
    """All listeners that belong to systemd lead to the daemon and carry the name it looks for."""
    for name in ("pam", "admin", "account"):
        socket = settings(f"nightlatch-{name}.socket")["Socket"]
        assert socket["FileDescriptorName"] == name
        assert socket["Service"] == "nightlatchd.service"
        assert f"nightlatch-{name}.socket" in settings("nightlatchd.service")["Service"]["Sockets"].split()


def test_user_and_directories_are_made(tmp_path: Path) -> None:
    """sysusers.d makes a user that can not log in; tmpfiles.d makes directories that only root can change."""
    (tmp_path / "etc").mkdir()
    users = run("systemd-sysusers", f"--root={tmp_path}", SOURCE / "sysusers.d" / "nightlatch.conf")
    assert users.returncode == 0, users.stderr
    entry = (tmp_path / "etc/passwd").read_text().splitlines()[-1].split(":")
    assert (entry[0], entry[5], entry[6]) == ("nightlatch", "/var/lib/nightlatch", "/usr/sbin/nologin")
    assert (tmp_path / "etc/shadow").read_text().splitlines()[-1].split(":")[1].startswith("!")

    made = run(
        "systemd-tmpfiles", f"--root={tmp_path}", "--create", SOURCE / "tmpfiles.d" / "nightlatch.conf"
    )
    assert made.returncode == 0, made.stderr
    run_dir, etc_dir = (tmp_path / "run/nightlatch").stat(), (tmp_path / "etc/nightlatch").stat()
    assert (run_dir.st_uid, run_dir.st_gid, stat.S_IMODE(run_dir.st_mode)) == (0, 0, 0o755)
    assert (etc_dir.st_uid, etc_dir.st_gid, stat.S_IMODE(etc_dir.st_mode)) == (0, int(entry[3]), 0o750)
