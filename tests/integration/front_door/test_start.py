"""What stops a start: everything that is wrong is told at once, and nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.daemon import Nightlatchd
from testbed.front_door import directory_table, enroll

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from testbed.slapd import Slapd

EXIT_WRONG = 2


@pytest.fixture
def used(door_folder: Path, slapd: Slapd) -> Iterator[Nightlatchd]:
    """A daemon that has served, holds a credential, and is stopped."""
    daemon = Nightlatchd(door_folder / "d", directory_table(slapd))
    daemon.start()
    with daemon.channel(admin=True) as admin:
        enroll(admin, "alice")
    assert daemon.stop() == 0
    yield daemon
    if daemon.running():
        daemon.stop()


def missing(key: Path) -> None:
    """The key is gone."""
    key.unlink()


def another(key: Path) -> None:
    """A key, but not the one."""
    key.write_bytes(b"\x01" * 32)


def readable(key: Path) -> None:
    """Others may read it."""
    key.chmod(0o644)


def short(key: Path) -> None:
    """Nothing in it."""
    key.write_bytes(b"")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (missing, "there is no key file"),
        (another, "not the one that this database was sealed with"),
        (readable, "chmod 600"),
        (short, "a key has 32"),
    ],
)
def test_no_start_without_the_right_key(used: Nightlatchd, fault: Callable[[Path], None], told: str) -> None:
    """STO-02: a key that is missing, wrong, open or empty stops the start, and no new one is made."""
    key = used.folder / "state" / "master.key"
    fault(key)
    before = key.read_bytes() if key.exists() else None
    used.start(ready=False)
    assert used.wait() == EXIT_WRONG
    assert told in used.log.read_text()
    assert (key.read_bytes() if key.exists() else None) == before


def test_every_problem_is_told_at_once(door_folder: Path, slapd: Slapd) -> None:
    """Unknown settings, wrong types and folders that can not be are reported together, with their lines."""
    daemon = Nightlatchd(
        door_folder / "d",
        directory_table(slapd) + "workres = 3\n",
        extra='[factors.totp]\ndigits = "six"\n',
    )
    config = daemon.config.read_text().replace(str(daemon.pam_socket), "/dev/null/pam.sock")
    daemon.config.write_text(config)
    daemon.start(ready=False)
    assert daemon.wait() == EXIT_WRONG
    said = daemon.log.read_text()
    assert "workres" in said
    assert 'Did you mean "workers"' in said
    assert "factors.totp.digits" in said
    assert "listeners.pam.socket" in said
    assert "nightlatch.toml:" in said
    assert "3 problems. The daemon did not start." in said


def test_a_second_daemon_does_not_take_the_place_of_the_first(used: Nightlatchd) -> None:
    """A socket on which somebody listens is not taken over."""
    used.start()
    other = Nightlatchd.__new__(Nightlatchd)
    other.__dict__ |= used.__dict__ | {"log": used.folder / "second.log"}
    other.start(ready=False)
    assert other.wait() == EXIT_WRONG
    assert "listens on" in other.log.read_text()
    assert used.command("status").returncode == 0


def test_files_are_private_whatever_the_umask(used: Nightlatchd) -> None:
    """STO-05: database, key and sockets are the daemon's alone."""
    state = used.folder / "state"
    assert state.stat().st_mode & 0o777 == 0o700
    for file in state.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
    used.start()
    assert used.pam_socket.stat().st_mode & 0o777 == 0o600
    assert used.admin_socket.stat().st_mode & 0o777 == 0o600
