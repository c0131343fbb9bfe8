"""Several worker processes behind one daemon: each is replaced when it ends."""

from __future__ import annotations

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import grpc
import pytest

from nightlatch.v1 import admin_pb2, admin_pb2_grpc
from testbed.process import wait_until
from testbed.two_workers import TwoWorkers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.slapd import Slapd

CHANNELS = 8


@pytest.fixture
def shop(open_folder: Path, slapd: Slapd) -> Iterator[TwoWorkers]:
    """A daemon with two workers on SQLite."""
    made = TwoWorkers(open_folder / uuid4().hex[:8], slapd)
    made.daemon.start()
    yield made
    made.daemon.stop()


def test_status_tells_every_worker_and_one_that_was_killed_is_replaced(shop: TwoWorkers) -> None:
    """A killed worker takes no other with it; the status names it, and its successor serves."""
    assert {name: part["healthy"] for name, part in shop.workers().items()} == {"1": True, "2": True}
    old = shop.pid(2)
    os.kill(old, signal.SIGKILL)
    # A connection that the kernel gave to the dying process is reset; those after its end are the other's.
    wait_until(lambda: bool(shop.made.said("worker.ended")), "the end of the second worker")
    assert shop.client.begin("shop").prompt.text
    wait_until(lambda: shop.ready(2) == 2, "the second worker again")
    wait_until(lambda: "restarted 1 times" in shop.workers()["2"]["detail"], "the status")
    assert shop.pid(2) != old
    [ended] = shop.made.said("worker.ended")
    assert (ended["pid"], ended["reason"]) == (old, "ended by SIGKILL")


def test_a_worker_that_hangs_is_replaced_within_a_minute(shop: TwoWorkers) -> None:
    """Whoever is silent is ended; logins go on at the other one meanwhile."""
    hung = shop.pid(1)
    os.kill(hung, signal.SIGSTOP)
    wait_until(lambda: shop.ready(1) == 2, "the first worker again", seconds=60)
    assert [one["pid"] for one in shop.made.said("worker.hangs")] == [hung]


def test_a_reload_reaches_every_worker_and_those_that_come_later(shop: TwoWorkers) -> None:
    """SIGHUP to the parent is a reload of all; a wrong file changes nothing, for a successor neither."""
    shop.set('methods = ["verification", "login"]', 'methods = ["verification"]')
    shop.daemon.signal(signal.SIGHUP)
    wait_until(lambda: len(shop.made.said("config.reloaded")) == 2, "both workers to reload")
    shop.set("[daemon]\n", "[daemon]\nnonsense = 1\n")
    shop.daemon.signal(signal.SIGHUP)
    wait_until(lambda: bool(shop.made.said("config.refused")), "the refusal")
    os.kill(shop.pid(2), signal.SIGKILL)
    wait_until(lambda: shop.ready(2) == 2, "the second worker again")
    for _ in range(CHANNELS):
        with pytest.raises(grpc.RpcError) as refused:
            shop.client.begin("shop")
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_sigterm_ends_all_and_a_killed_parent_leaves_nobody_behind(shop: TwoWorkers) -> None:
    """Workers end with their parent, whatever ended it."""
    pids = [shop.pid(1), shop.pid(2)]
    assert shop.daemon.stop() == 0
    assert not any(alive(pid) for pid in pids)
    assert [one["event"] for one in shop.made.said("daemon.stopped")].count("daemon.stopped") == 3
    shop.daemon.start()
    pids = [shop.pid(1), shop.pid(2)]
    shop.daemon.kill()
    wait_until(lambda: not any(alive(pid) for pid in pids), "the workers to end")


def alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_stops_one_process_stops_the_start_of_many(shop: TwoWorkers) -> None:
    """A wrong key is told once, with exit code 2, and no worker is left."""
    shop.daemon.stop()
    key = shop.daemon.folder / "state" / "master.key"
    key.write_bytes(os.urandom(len(key.read_bytes())))
    shop.daemon.start(ready=False)
    assert shop.daemon.wait() == 2
    assert "did not start" in shop.daemon.log.read_text()


def test_a_port_that_somebody_else_has_stops_the_start(shop: TwoWorkers) -> None:
    """SO_REUSEPORT is between the workers of one daemon: two daemons never share a port unnoticed."""
    shop.daemon.stop()
    with socket.create_server(("127.0.0.1", shop.made.port), reuse_port=True):
        shop.daemon.start(ready=False)
        assert shop.daemon.wait() == 2


def test_systemd_hears_the_parent_alone(shop: TwoWorkers, tmp_path: Path) -> None:
    """READY comes once, when all workers serve; the watchdog is fed all along; STOPPING comes at the end."""
    shop.daemon.stop()
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard, socket.socket(socket.AF_UNIX) as given:
        heard.bind(path)
        heard.settimeout(60)
        shop.daemon.admin_socket.unlink()
        given.bind(str(shop.daemon.admin_socket))
        given.listen(8)
        shop.daemon.start_activated(
            given, "admin", {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "600000"}
        )
        said = iter(lambda: heard.recv(4096).decode(), "")
        ready = next(one for one in said if one != "WATCHDOG=1")
        assert ready.startswith("READY=1\n")
        assert set(shop.workers()) == {"1", "2"}
        assert [next(said) for _ in range(3)] == ["WATCHDOG=1"] * 3
        assert shop.daemon.stop() == 0
        heard.settimeout(0)
        assert "STOPPING=1" in [*iter_messages(heard)]


def iter_messages(heard: socket.socket) -> Iterator[str]:
    """All messages that wait."""
    with suppress(BlockingIOError):
        while True:
            yield heard.recv(4096).decode()


def test_many_logins_share_the_workers(shop: TwoWorkers) -> None:
    """Connections to a unix socket are taken by whichever worker is free."""

    def status(_: int) -> str:
        with shop.daemon.channel(admin=True) as channel:
            stub = admin_pb2_grpc.AdminServiceStub(channel)
            return stub.GetStatus(admin_pb2.GetStatusRequest(), timeout=30).version

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(status, range(48)))
