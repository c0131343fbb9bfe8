"""SIGTERM, SIGHUP and the service manager, as systemd uses them."""

from __future__ import annotations

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1 import login_pb2
from testbed.front_door import FrontDoor, Person
from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_sigterm_finishes_what_is_in_flight_and_takes_nothing_new(door: FrontDoor) -> None:
    """A login whose answer is under way gets it; the daemon then ends with 0, and is gone."""
    with door.daemon.channel() as channel, ThreadPoolExecutor(1) as pool:
        step = Person(channel).begin()
        waiting = pool.submit(Person(channel).answer, step, "wrong")
        # A negative answer is held back for 250 ms: it is under way from here on.
        wait_until(lambda: reloads(door, "login.ended") == 1, "the login to be decided")
        assert not waiting.done()
        door.daemon.signal(signal.SIGTERM)
        assert waiting.result().outcome.verdict == login_pb2.VERDICT_REFUSED
    assert door.daemon.wait() == 0
    with door.daemon.channel() as channel, pytest.raises(grpc.RpcError) as error:
        Person(channel).begin()
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE


def reloads(door: FrontDoor, event: str) -> int:
    """How often an event is in the log."""
    return sum(1 for one in door.daemon.events() if one["event"] == event)


def test_sighup_takes_a_right_configuration_and_keeps_the_old_one_otherwise(door: FrontDoor) -> None:
    """POL-05: a wrong file changes nothing and is told; a right one counts from the next call on."""
    app = door.enroll("alice")
    right = door.daemon.config.read_text()
    with door.daemon.channel() as channel:
        step = Person(channel).password()
        door.daemon.config.write_text(right + "\n[[nonsense]]\n")
        door.daemon.signal(signal.SIGHUP)
        wait_until(lambda: reloads(door, "config.refused") == 1, "the refusal")
        door.daemon.config.write_text(right.replace('name = "corp"', 'name = "elsewhere"'))
        door.daemon.signal(signal.SIGHUP)
        wait_until(lambda: reloads(door, "config.reloaded") == 1, "the reload")
        assert Person(channel).password().outcome.verdict == login_pb2.VERDICT_REFUSED
        door.daemon.config.write_text(right)
        door.daemon.signal(signal.SIGHUP)
        wait_until(lambda: reloads(door, "config.reloaded") == 2, "the reload")
        assert Person(channel).answer(step, app.fresh()).outcome.verdict == login_pb2.VERDICT_GRANTED


@pytest.fixture
def manager(door_folder: Path) -> Iterator[socket.socket]:
    """The service manager's end of sd_notify(3)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(door_folder / "notify"))
        end.settimeout(20)
        yield end


@pytest.fixture
def passed_socket(door: FrontDoor) -> Iterator[socket.socket]:
    """A socket that the service manager listens on, in the place of the daemon's own."""
    door.daemon.stop()
    door.daemon.pam_socket.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(door.daemon.pam_socket))
        listening.listen(8)
        yield listening


def test_the_service_manager_is_told_and_its_sockets_outlive_the_daemon(
    door: FrontDoor, manager: socket.socket, passed_socket: socket.socket
) -> None:
    """Type=notify: READY, WATCHDOG, STOPPING; who calls while the daemon is away waits in the socket."""
    environment = {**os.environ, "NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "200000"}
    door.daemon.start_activated(passed_socket, "pam", environment)
    for expected in (b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"):
        assert expected in manager.recv(4096)
    with door.daemon.channel() as channel:
        assert Person(channel).begin().WhichOneof("kind") == "prompt"
    door.daemon.signal(signal.SIGTERM)
    while b"STOPPING=1" not in manager.recv(4096):
        pass
    assert door.daemon.wait() == 0
    with ThreadPoolExecutor(1) as pool, door.daemon.channel() as channel:
        waiting = pool.submit(Person(channel).begin)
        door.daemon.start_activated(passed_socket, "pam", environment)
        assert waiting.result().WhichOneof("kind") == "prompt"
