"""Several worker processes behind one daemon: one grant a code, and each is replaced when it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest

from nightlatch.v1 import verification_pb2, verification_pb2_grpc
from testbed.applications import Installation
from testbed.authority import Order
from testbed.front_door import directory_table, enroll
from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.applications import Application
    from testbed.slapd import Slapd

CALLS = 200
CHANNELS = 8
SHOP = """
[[clients]]
name = "shop"
san = "dns:shop.example.com"
methods = ["verification", "login"]
requests_per_second = 10000
concurrent = 1000
"""


class Shop:
    """A daemon with two workers, and an application of it."""

    def __init__(self, folder: Path, slapd: Slapd, store: str = "") -> None:
        self.made = Installation(folder, directories=store + directory_table(slapd), clients=SHOP)
        self.daemon = self.made.daemon
        self.client: Application = self.made.client("shop", Order(("dns:shop.example.com",)))
        self.set("[daemon]\n", "[daemon]\nworkers = 2\n")
        account = f'[listeners.account]\nsocket = "{self.daemon.admin_socket.with_name("account.sock")}"\n'
        self.set("[log]\n", account + "[log]\n")

    def set(self, before: str, after: str) -> None:
        """Change the configuration's text."""
        text = self.daemon.config.read_text()
        assert before in text
        self.daemon.config.write_text(text.replace(before, after, 1))

    def status(self) -> dict[str, Any]:
        """What `nightlatch status` tells."""
        told: dict[str, Any] = json.loads(self.daemon.command("status", "--json").stdout)
        return told

    def workers(self) -> dict[str, dict[str, Any]]:
        """What `nightlatch status` tells of the workers, by their numbers."""
        return {part["name"]: part for part in self.status()["parts"] if part["kind"] == "worker"}

    def pid(self, number: int) -> int:
        """The pid of the worker that was started last at this place."""
        started = [one for one in self.made.said("worker.started") if one["worker"] == number]
        return int(str(started[-1]["pid"]))

    def ready(self, number: int) -> int:
        """How often that worker became ready."""
        return sum(one["worker"] == number for one in self.made.said("worker.ready"))


@pytest.fixture
def shop(open_folder: Path, slapd: Slapd) -> Iterator[Shop]:
    """A daemon with two workers on SQLite."""
    made = Shop(open_folder / uuid4().hex[:8], slapd)
    made.daemon.start()
    yield made
    made.daemon.stop()


def many(shop: Shop, code: str) -> tuple[list[int], set[str]]:
    """One code, 200 times at once over 8 connections: the verdicts, and the workers that logged them."""
    before = len(shop.made.said("login.ended"))
    channels = [shop.client.channel() for _ in range(CHANNELS)]
    for channel in channels:
        grpc.channel_ready_future(channel).result(20)
    request = verification_pb2.VerifyCodeRequest(user="alice", code=code)
    calls = [
        verification_pb2_grpc.VerificationServiceStub(channels[number % CHANNELS]).VerifyCode.future(
            request, timeout=30
        )
        for number in range(CALLS)
    ]
    verdicts = [call.result().verification for call in calls]
    for channel in channels:
        channel.close()
    wait_until(lambda: len(shop.made.said("login.ended")) >= before + CALLS, "the log")
    return [*map(int, verdicts)], {str(one["worker"]) for one in shop.made.said("login.ended")[before:]}


def test_a_code_is_accepted_once_over_all_workers(shop: Shop) -> None:
    """Two hundred times the same code at once, over two processes on one SQLite file: one grant."""
    with shop.daemon.channel(admin=True) as admin:
        app = enroll(admin, "alice")
    verdicts, workers = many(shop, app.fresh())
    assert verdicts.count(verification_pb2.VERIFICATION_VERIFIED) == 1
    assert workers == {"1", "2"}
    assert not shop.made.said("rpc.failed")


def test_status_tells_every_worker_and_one_that_was_killed_is_replaced(shop: Shop) -> None:
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


def test_a_worker_that_hangs_is_replaced_within_a_minute(shop: Shop) -> None:
    """Whoever is silent is ended; logins go on at the other one meanwhile."""
    hung = shop.pid(1)
    os.kill(hung, signal.SIGSTOP)
    wait_until(lambda: shop.ready(1) == 2, "the first worker again", seconds=60)
    assert [one["pid"] for one in shop.made.said("worker.hangs")] == [hung]


def test_a_reload_reaches_every_worker_and_those_that_come_later(shop: Shop) -> None:
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


def test_sigterm_ends_all_and_a_killed_parent_leaves_nobody_behind(shop: Shop) -> None:
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


def test_what_stops_one_process_stops_the_start_of_many(shop: Shop) -> None:
    """A wrong key is told once, with exit code 2, and no worker is left."""
    shop.daemon.stop()
    key = shop.daemon.folder / "state" / "master.key"
    key.write_bytes(os.urandom(len(key.read_bytes())))
    shop.daemon.start(ready=False)
    assert shop.daemon.wait() == 2
    assert "did not start" in shop.daemon.log.read_text()


def test_a_port_that_somebody_else_has_stops_the_start(shop: Shop) -> None:
    """SO_REUSEPORT is between the workers of one daemon: two daemons never share a port unnoticed."""
    shop.daemon.stop()
    with socket.create_server(("127.0.0.1", shop.made.port), reuse_port=True):
        shop.daemon.start(ready=False)
        assert shop.daemon.wait() == 2


def test_systemd_hears_the_parent_alone(shop: Shop, tmp_path: Path) -> None:
    """READY comes once, when all workers serve; then the watchdog is fed; STOPPING comes at the end."""
    shop.daemon.stop()
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard, socket.socket(socket.AF_UNIX) as given:
        heard.bind(path)
        heard.settimeout(20)
        shop.daemon.admin_socket.unlink()
        given.bind(str(shop.daemon.admin_socket))
        given.listen(8)
        shop.daemon.start_activated(
            given, "admin", {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "600000"}
        )
        said = [heard.recv(4096).decode() for _ in range(4)]
        assert said[0].startswith("READY=1\n")
        assert said[1:] == ["WATCHDOG=1"] * 3
        assert set(shop.workers()) == {"1", "2"}
        assert shop.daemon.stop() == 0
        heard.settimeout(0)
        assert "STOPPING=1" in [*iter_messages(heard)]


def iter_messages(heard: socket.socket) -> Iterator[str]:
    """All messages that wait."""
    with suppress(BlockingIOError):
        while True:
            yield heard.recv(4096).decode()


def test_many_logins_share_the_workers(shop: Shop) -> None:
    """Connections to a unix socket are taken by whichever worker is free."""
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: shop.status()["version"], range(24)))
    assert len(answers) == 24
