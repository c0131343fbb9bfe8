"""What a hostile or broken application can not do: use up the daemon (API-03)."""

from __future__ import annotations

import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1 import login_pb2, login_pb2_grpc
from testbed.applications import PORTAL, VPN, Installation, short_folder
from testbed.authority import Order
from testbed.front_door import Person, directory_table, enroll
from testbed.hostile_client import HostileClient, resets, status_of
from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.daemon import Nightlatchd
    from testbed.slapd import Slapd

ROOM = "connections = 1000\n"
"""For the client vpn, so that not its own limit is what is tested."""
HASTY = """
[[clients]]
name = "hasty"
san = "dns:hasty.example.com"
methods = ["login"]
"""


@pytest.fixture
def roomy(open_folder: Path, slapd: Slapd) -> Iterator[Installation]:
    """A daemon in front of a real slapd, that lets vpn have many connections."""
    directories = directory_table(slapd)
    made = Installation(
        short_folder(open_folder), directories=directories, clients=VPN + ROOM + PORTAL + HASTY
    )
    made.daemon.start()
    yield made
    made.daemon.stop()


def megabytes(daemon: Nightlatchd) -> int:
    """The daemon's resident memory."""
    status = Path(f"/proc/{daemon.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


def descriptors(daemon: Nightlatchd) -> int:
    """How many files and sockets the daemon has open."""
    return sum(1 for _ in Path(f"/proc/{daemon.pid}/fd").iterdir())


@contextmanager
def bounded(installation: Installation, files: int) -> Iterator[None]:
    """What happens inside costs at most 64 MB and some descriptors, and both listeners go on answering."""
    daemon = installation.daemon
    with daemon.channel() as pam, installation.portal().channel() as other:
        portal = login_pb2_grpc.LoginServiceStub(other)
        request = login_pb2.BeginLoginRequest(
            user="alice", service="portal", primary=login_pb2.PRIMARY_PASSWORD
        )
        Person(pam).password()
        portal.BeginLogin(request, timeout=10)
        memory, open_files = megabytes(daemon), descriptors(daemon)
        yield
        began = time.monotonic()
        assert Person(pam).password().outcome.verdict == login_pb2.VERDICT_REFUSED  # she has no second factor
        assert time.monotonic() - began < 10
        portal.BeginLogin(request, timeout=10)
        assert megabytes(daemon) - memory < 64
        assert descriptors(daemon) - open_files <= files


def test_a_message_of_16_mib_is_refused(roomy: Installation) -> None:
    """More than 64 KiB is refused by its length, before it is held in memory (API-03)."""
    with bounded(roomy, 12):
        request = login_pb2.BeginLoginRequest(user="x" * 16 * 2**20)
        with (
            roomy.vpn().channel(max_send_message_length=-1) as channel,
            pytest.raises(grpc.RpcError) as error,
        ):
            login_pb2_grpc.LoginServiceStub(channel).BeginLogin(request, timeout=30)
        assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        client = HostileClient(roomy.vpn())
        stream = client.open_stream()
        client.http.send_data(stream, struct.pack(">BI", 0, 16 * 2**20))
        client.flush()
        assert resets(client.hear(2)) == 1
        client.close()


def test_a_hundred_thousand_metadata_entries_are_refused(roomy: Installation) -> None:
    """16 KiB of metadata are the most, however small they are on the wire (API-03)."""
    with bounded(roomy, 12):
        client = HostileClient(roomy.vpn())
        client.open_stream([(f"x-{number % 50}", "v") for number in range(100_000)])
        client.flush()
        events = client.hear(3)
        assert status_of(events) == b"8"  # RESOURCE_EXHAUSTED
        client.close()


def test_ten_thousand_streams_are_not_held(roomy: Installation) -> None:
    """A connection has 100 calls open at the most; the others are refused at once (API-03)."""
    with bounded(roomy, 12), ExitStack() as stack:
        client = HostileClient(roomy.vpn())
        stack.callback(client.close)
        client.ignore_stream_limit()
        for number in range(10_000):
            client.open_stream()
            if number % 100 == 0 and client.alive:
                client.flush()
        client.flush()
        events = client.hear(2)
        assert not client.alive or resets(events) > 9_000


def test_rapid_reset_disturbs_nobody(roomy: Installation) -> None:
    """CVE-2023-44487: who begins and resets calls endlessly is cut off, a new connection too (API-03)."""
    hasty = roomy.client("hasty", Order(("dns:hasty.example.com",)))
    with bounded(roomy, 12), roomy.daemon.channel() as pam:
        sent = 0
        for _ in range(2):
            client = HostileClient(hasty)
            slowest = 0.0
            while client.alive:
                client.http.reset_stream(client.open_stream(), 8)
                sent += 1
                if sent % 100 == 0:
                    client.flush()
                if sent % 4_000 == 0:
                    began = time.monotonic()
                    Person(pam).begin()
                    slowest = max(slowest, time.monotonic() - began)
            client.close()
            assert slowest < 5
        wait_until(lambda: len(roomy.said("client.cut_off")) == 2, "the lines of both")
        said = {str(one["reason"]) for one in roomy.said("client.cut_off")}
        assert said == {"it begins and resets more than 600 streams a second"}

    def again() -> bool:
        try:
            hasty.begin("hasty")
        except grpc.RpcError:
            return False
        return True

    wait_until(again, "the next seconds' share")


def test_idle_handshakes_keep_nobody_out(roomy: Installation) -> None:
    """500 connections that never speak TLS hold 128 descriptors, for 5 seconds (API-03)."""
    daemon = roomy.daemon
    before = descriptors(daemon)
    with ExitStack() as stack:
        held = [
            stack.enter_context(socket.create_connection(("127.0.0.1", roomy.port), 10)) for _ in range(500)
        ]
        for half in held[::2]:
            half.sendall(b"\x16\x03\x01\x02\x00\x01")  # a TLS record that is never finished
        with bounded(roomy, 140):
            assert roomy.vpn().begin(seconds=20).prompt.text == "Password: "
        assert descriptors(daemon) - before < 160
        wait_until(lambda: descriptors(daemon) - before < 12, "the end of the idle handshakes")
        assert all(closed(one) for one in held)


def closed(connection: socket.socket) -> bool:
    """Whether the daemon has closed a connection."""
    connection.settimeout(10)
    with suppress(ConnectionError):
        return connection.recv(1) == b""
    return True


def slow(installation: Installation, count: int) -> list[HostileClient]:
    """Connections that have sent half of a frame, and will send the rest a byte at a time."""
    vpn = installation.vpn()

    def one(_: int) -> HostileClient:
        client = HostileClient(vpn)
        client.open_stream()
        client.drip()
        return client

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, range(count)))


def test_500_slow_clients_do_not_slow_others(roomy: Installation) -> None:
    """Half-sent calls cost three descriptors each, little memory, and no worker (API-03)."""
    with bounded(roomy, 3 * 500 + 30):
        clients = slow(roomy, 500)
        for client in clients:
            client.drip()
        assert sum(client.alive for client in clients) == 500
    for client in clients:
        client.close()
    wait_until(lambda: descriptors(roomy.daemon) < 200, "the end of the slow clients")


def test_one_client_has_so_many_connections(peopled: Installation) -> None:
    """Above its own 16 a client's connections are closed, and other clients do not notice."""
    with bounded(peopled, 3 * 16 + 12):
        clients = slow(peopled, 40)
        assert sum(client.alive for client in clients) == 16
        for client in clients:
            client.close()


def test_a_whole_login_after_all_that(roomy: Installation) -> None:
    """Under all of it at once a person still gets in through PAM, with password and code (API-03)."""
    with roomy.daemon.channel(admin=True) as channel:
        app = enroll(channel, "alice")
    with ExitStack() as stack:
        idle = [socket.create_connection(("127.0.0.1", roomy.port), 10) for _ in range(200)]
        for one in idle:
            stack.enter_context(one)
        for client in slow(roomy, 50):
            stack.callback(client.close)
        with roomy.daemon.channel() as pam:
            assert Person(pam).sign_in(app.fresh()).verdict == login_pb2.VERDICT_GRANTED
