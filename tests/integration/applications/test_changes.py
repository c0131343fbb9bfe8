"""What changes while applications are connected: files, clients, the store, the daemon itself."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from nightlatch.v1 import login_pb2, login_pb2_grpc
from testbed.applications import PORTAL, VPN, Installation, begin, short_folder
from testbed.authority import Order, write_whole
from testbed.front_door import Person, directory_table
from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.applications import Application
    from testbed.postgres import Postgres
    from testbed.slapd import Slapd


def serial(application: Application) -> str:
    """The serial number of the certificate that the daemon shows."""
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{application.port}", "-servername", "localhost"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    ).stdout
    pem = shown[shown.index("-----BEGIN") : shown.index("-----END")] + "-----END CERTIFICATE-----\n"
    return subprocess.run(
        ["openssl", "x509", "-noout", "-serial"], input=pem, capture_output=True, text=True, check=True
    ).stdout


def loaded(installation: Installation, times: int) -> None:
    """Wait until the files were read so many times."""
    wait_until(lambda: len(installation.said("certificates.loaded")) == times, "the files", seconds=30)


def test_a_renewed_certificate_is_taken_without_a_restart(own: Installation) -> None:
    """New files are noticed; connections go on, new ones see the new certificate."""
    vpn = own.vpn()
    old = serial(vpn)
    with vpn.channel() as channel:
        stub = login_pb2_grpc.LoginServiceStub(channel)
        stub.BeginLogin(begin(), timeout=10)
        own.server_authority.sign("server", Order(("dns:localhost",), usages=()))
        wait_until(lambda: serial(vpn) != old, "the new certificate", seconds=30)
        stub.BeginLogin(begin(), timeout=10)
    vpn.begin()
    assert own.said("client.cut_off") == []


@pytest.mark.parametrize("spoiled", ["certificate", "key"])
def test_a_bad_new_file_keeps_the_old(own: Installation, spoiled: str) -> None:
    """A file that is not right is told, with what is wrong, and changes nothing (API-01)."""
    vpn = own.vpn()
    path: Path = getattr(own.server, spoiled)
    right = path.read_bytes()
    write_whole(path, b"-----BEGIN NONSENSE-----\n", mode=0o600)
    wait_until(lambda: bool(own.said("certificates.refused")), "the refusal", seconds=30)
    assert spoiled in str(own.said("certificates.refused")[0]["problems"])
    vpn.begin()
    write_whole(path, right, mode=0o600)
    loaded(own, 2)
    vpn.begin()


def test_a_folder_that_is_gone_for_a_while_ends_no_watch(own: Installation) -> None:
    """API-01: files that can not be looked at are told; the next change is taken in, as ever."""
    state = own.daemon.folder / "state"
    away = state.rename(state.with_name("away"))
    own.server_authority.sign("server", Order(("dns:localhost",), usages=()))
    wait_until(lambda: bool(own.said("certificates.refused")), "the refusal", seconds=30)
    assert "can not be looked at" in str(own.said("certificates.refused")[0]["problems"])
    away.rename(state)
    own.server_authority.sign("server", Order(("dns:localhost",), usages=()))
    loaded(own, 2)
    own.vpn().begin()


def test_a_key_that_others_may_read_is_refused_at_once(own: Installation) -> None:
    """Not at the next start alone, which would end in it; and right again as soon as its mode is (STO-02)."""
    key: Path = own.server.key
    write_whole(key, key.read_bytes(), mode=0o644)
    wait_until(lambda: bool(own.said("certificates.refused")), "the refusal", seconds=30)
    problems = own.said("certificates.refused")[0]["problems"]
    assert problems == [f"key_file: others may read {key} (mode 0644). Run: chmod 600 {key}"]
    key.chmod(0o600)
    loaded(own, 2)


def test_sighup_takes_new_clients_and_rights(own: Installation) -> None:
    """A reload takes new clients and rights; who is no client any more is cut off, the others stay."""
    vpn, portal = own.vpn(), own.portal()
    with vpn.channel() as channel, portal.channel() as other:
        first, second = (login_pb2_grpc.LoginServiceStub(one) for one in (channel, other))
        first.BeginLogin(begin(), timeout=10)
        second.BeginLogin(begin("portal"), timeout=10)
        own.rewrite(PORTAL.replace('methods = ["login", "enrollment"]', 'methods = ["enrollment"]'))
        own.daemon.signal(signal.SIGHUP)
        wait_until(lambda: bool(own.said("client.cut_off")), "the end of vpn's connection")
        with pytest.raises(grpc.RpcError) as error:
            second.BeginLogin(begin("portal"), timeout=10)
        assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(grpc.RpcError):
        vpn.begin(seconds=3)
    (cut,) = own.said("client.cut_off")
    assert cut["client"] == "client vpn"
    assert own.said("config.reloaded")[0].get("needs_restart") is None


def test_a_configuration_with_wrong_files_is_refused_whole(own: Installation) -> None:
    """POL-05: a reload whose files are wrong changes neither clients nor anything else."""
    own.authority.file.chmod(0o666)
    own.rewrite(VPN)
    own.daemon.signal(signal.SIGHUP)
    wait_until(lambda: bool(own.said("config.refused")), "the refusal")
    assert "client_ca_file" in str(own.said("config.refused")[0]["problems"])
    assert own.portal().begin("portal").prompt.text == "Password: "


@pytest.fixture
def on_postgres(
    open_folder: Path, postgres: Postgres, postgres_url: str, slapd: Slapd
) -> Iterator[Installation]:
    """A daemon whose store is a PostgreSQL, in front of a real slapd."""
    folder = short_folder(open_folder)
    key = folder / "store.key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    database = urlsplit(postgres_url).path.removeprefix("/")
    store = f'\n[store]\nurl = "{postgres.tcp_url(database)}"\nkey_file = "{key}"\n'
    made = Installation(folder, directories=directory_table(slapd), clients=VPN + store)
    made.daemon.start()
    yield made
    made.daemon.stop()


def test_health_tells_when_the_store_is_away(
    on_postgres: Installation, postgres: Postgres, postgres_url: str
) -> None:
    """NOT_SERVING while nothing can be decided, SERVING once it can be again; a watcher hears of both."""
    with on_postgres.vpn().channel() as channel:
        watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=100)
        assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
        postgres.alter(postgres_url, "allow_connections false")
        postgres.cut_off(postgres_url)
        assert next(watched).status == health_pb2.HealthCheckResponse.NOT_SERVING
        postgres.alter(postgres_url, "allow_connections true")
        assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
        watched.cancel()


def test_sigterm_with_50_in_flight(peopled: Installation) -> None:
    """FLT-01: each of 50 logins under way ends in its answer or an outage; the daemon ends in time."""
    with ExitStack() as stack, ThreadPoolExecutor(50) as pool:
        channels = [stack.enter_context(peopled.vpn().channel()) for _ in range(10)]
        people = [Person(channels[number % 10], service="vpn") for number in range(50)]
        steps = [person.begin() for person in people]

        def answer(number: int) -> login_pb2.Verdict.ValueType | grpc.StatusCode:
            try:
                return people[number].answer(steps[number], "wrong").outcome.verdict
            except grpc.RpcError as error:
                return error.code()

        answers = [pool.submit(answer, number) for number in range(50)]
        wait_until(lambda: len(peopled.said("login.ended")) >= 1, "the first of them")
        peopled.daemon.signal(signal.SIGTERM)
        found = {one.result(30) for one in answers}
    assert found <= {
        login_pb2.VERDICT_REFUSED,
        login_pb2.VERDICT_LOCKED,
        login_pb2.VERDICT_UNAVAILABLE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
    }
    assert login_pb2.VERDICT_REFUSED in found
    assert peopled.daemon.wait() == 0


def test_with_64_descriptors_it_denies_and_recovers(peopled: Installation) -> None:
    """FLT-01: more callers than there are descriptors get an outage; once they leave, people log in again."""
    resource.prlimit(peopled.daemon.pid, resource.RLIMIT_NOFILE, (64, 64))
    with ExitStack() as stack:
        vpn = peopled.vpn()
        codes = []
        for _ in range(20):
            stub = login_pb2_grpc.LoginServiceStub(stack.enter_context(vpn.channel()))
            try:
                stub.BeginLogin(begin(), timeout=1)
            except grpc.RpcError as error:
                codes.append(error.code())
        assert set(codes) <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
        assert codes
    assert peopled.daemon.running()

    def again() -> bool:
        with peopled.daemon.channel() as channel:
            try:
                return Person(channel).password().outcome.verdict == login_pb2.VERDICT_REFUSED
            except grpc.RpcError:
                return False

    wait_until(again, "logins after the crowd", seconds=40)
