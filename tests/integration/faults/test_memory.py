"""The daemon finds no memory: nobody gets in by that; afterwards people do, and nobody had to help."""

from __future__ import annotations

import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from integration.faults.conftest import short_folder
from nightlatch.v1 import login_pb2
from testbed.daemon import Nightlatchd
from testbed.front_door import Person, directory_table, enroll
from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.slapd import Slapd

WATCHDOG = 2.0
"""What the service manager waits for a sign of life, in seconds; 30 in the unit."""
CROWD = 100
MOST_IDLE = 900
"""Connections that hold memory and do nothing; the listener takes 1024."""
OUTAGES = {"VERDICT_UNAVAILABLE", "UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "UNKNOWN", "CANCELLED"}
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


class Manager:
    """The service manager: hears that the daemon lives; starts it again when it has ended or is silent."""

    def __init__(self, folder: Path, daemon: Nightlatchd) -> None:
        self.daemon = daemon
        self.path = folder / "notify"
        self._heard = time.monotonic()
        self._end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._end.bind(str(self.path))
        self._end.settimeout(0)

    def look(self) -> None:
        """Do what systemd does with Restart=always and WatchdogSec."""
        try:
            while self._end.recv(4096):
                self._heard = time.monotonic()
        except BlockingIOError:
            pass
        if self.daemon.running() and time.monotonic() - self._heard > 4 * WATCHDOG:
            self.daemon.kill()
        if not self.daemon.running():
            self.daemon.start()
            self._heard = time.monotonic()

    def close(self) -> None:
        """Hear nothing more."""
        self._end.close()


@pytest.fixture
def manager(open_folder: Path, house_slapd: Slapd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """A daemon under a service manager."""
    folder = short_folder(open_folder, "memory")
    made = Manager(folder, Nightlatchd(folder / "d", directory_table(house_slapd)))
    monkeypatch.setenv("NOTIFY_SOCKET", str(made.path))
    monkeypatch.setenv("WATCHDOG_USEC", str(int(WATCHDOG * 1e6)))
    try:
        made.daemon.start()
        yield made
    finally:
        if made.daemon.running():
            made.daemon.stop()
        made.close()


def writable(pid: int) -> int:
    """The bytes that a process may write to: what RLIMIT_DATA bounds, and the stack (proc(5), statm).

    RLIMIT_AS would not do: what malloc has reserved for its threads counts there before it is used.
    """
    return int(Path(f"/proc/{pid}/statm").read_text().split()[5]) * resource.getpagesize()


def come(daemon: Nightlatchd, number: int) -> str:
    """Somebody with a wrong password, or with a wrong code: what they are told, or the status of the call."""
    with daemon.channel() as channel:
        try:
            if number % 2:
                outcome = Person(channel, f"nobody{number}").password("wrong").outcome
            else:
                step = Person(channel).password()
                asked = step.WhichOneof("kind") == "prompt"
                outcome = (Person(channel).answer(step, "000000") if asked else step).outcome
        except grpc.RpcError as error:
            return str(error.code().name)
        return login_pb2.Verdict.Name(outcome.verdict)


def asks_for_a_code(daemon: Nightlatchd) -> bool:
    """Whether carol comes past her password."""
    with daemon.channel() as channel:
        try:
            return Person(channel, "carol").password().WhichOneof("kind") == "prompt"
        except grpc.RpcError:
            return False


@pytest.mark.parametrize("spare", [0, 4 * 2**20], ids=["nothing", "a little"])
def test_without_memory_nobody_gets_in_and_with_it_everybody_again(manager: Manager, spare: int) -> None:
    """FLT-01: with nothing to spare, logins are denied or fail; the daemon goes on, or is started anew."""
    daemon = manager.daemon
    with daemon.channel(admin=True) as admin:
        enroll(admin, "alice")
        app = enroll(admin, "carol")
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (4096, 4096))
    limit = (writable(daemon.pid) + spare, resource.RLIM_INFINITY)
    resource.prlimit(daemon.pid, resource.RLIMIT_DATA, limit)
    told: list[str] = []
    with ExitStack() as idle, ThreadPoolExecutor(CROWD) as people:
        for _ in range(0, MOST_IDLE, CROWD):
            told += people.map(lambda number: come(daemon, number), range(CROWD))
            if set(told) & OUTAGES:
                break
            with suppress(OSError):
                for _ in range(CROWD):
                    idle.enter_context(socket.socket(socket.AF_UNIX)).connect(str(daemon.pam_socket))
    assert set(told) & OUTAGES, "the limit was not felt"
    assert "VERDICT_GRANTED" not in told
    with suppress(ProcessLookupError):
        resource.prlimit(daemon.pid, resource.RLIMIT_DATA, UNLIMITED)

    def again() -> bool:
        manager.look()
        return asks_for_a_code(daemon)

    wait_until(again, "a login once there is memory again", seconds=90)
    with daemon.channel() as channel:
        outcome = Person(channel, "carol").sign_in(app.fresh())
    assert outcome.verdict == login_pb2.VERDICT_GRANTED
    assert daemon.stop() == 0
