"""The listener's door: who gets through, and what the services hear of them."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
import structlog

from nightlatch.errors import ConfigError
from nightlatch.rpc.acceptor import Acceptor
from nightlatch.rpc.caller import Caller, CallerAddresses, Unidentified
from nightlatch.rpc.guard import Guard
from nightlatch.rpc.listener import Listener
from nightlatch.rpc.login import LoginService
from nightlatch.rpc.passing import Route
from nightlatch.rpc.rights import OF_A_SOCKET, Rights
from nightlatch.rpc.sockets import make_socket, passed_sockets
from nightlatch.v1 import login_pb2, login_pb2_grpc
from testbed.core import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nightlatch.login.receipt import Receipts

ME = os.geteuid()


def no_receipts() -> Receipts:
    """Logins by PAM get none."""
    raise AssertionError


@pytest.fixture
def addresses() -> CallerAddresses:
    """Addresses with a nonce of their own."""
    return CallerAddresses("a-nonce")


def listener_on(folder: Path, addresses: CallerAddresses) -> Listener:
    """A listener that serves logins on fakes."""
    world = World()
    service = LoginService(lambda _: world.engine, no_receipts, addresses, structlog.get_logger())
    services = {
        "nightlatch.v1.LoginService": lambda server: login_pb2_grpc.add_LoginServiceServicer_to_server(
            service, server
        )
    }
    guard = Guard(addresses, world.clock.steady, structlog.get_logger())
    return Listener("pam", services, folder, guard)


async def started(made: Listener, folder: Path, addresses: CallerAddresses, uid: int) -> None:
    """Let one user call it, on a socket in its folder."""
    route = Route("pam", made.inner, addresses, structlog.get_logger())
    door = Acceptor(route, frozenset({uid}))
    await made.start(door, make_socket(folder / "pam.sock", "listeners.pam.socket"))


@pytest.fixture
async def listener(tmp_path: Path, addresses: CallerAddresses) -> AsyncIterator[Listener]:
    """A listener that this user may call."""
    made = listener_on(tmp_path, addresses)
    await started(made, tmp_path, addresses, ME)
    yield made
    await made.stop(0)


def begin() -> login_pb2.BeginLoginRequest:
    """A login of alice."""
    return login_pb2.BeginLoginRequest(user="alice", service="sshd", primary=login_pb2.PRIMARY_PASSWORD)


@pytest.mark.usefixtures("listener")
async def test_an_allowed_uid_is_served(tmp_path: Path) -> None:
    """The kernel's word on the peer lets a call through, with its ticket bound to it."""
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/pam.sock") as channel:
        answer = await login_pb2_grpc.LoginServiceStub(channel).BeginLogin(begin(), timeout=5)
    assert answer.step.prompt.text == "Password: "


@pytest.mark.usefixtures("listener")
async def test_the_inner_socket_gives_no_authority(tmp_path: Path) -> None:
    """MUST 2: who goes round the acceptor is nobody, even with the daemon's own uid."""
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/pam.inner") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await login_pb2_grpc.LoginServiceStub(channel).BeginLogin(begin(), timeout=5)
    assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_another_uid_gets_no_byte_through(tmp_path: Path, addresses: CallerAddresses) -> None:
    """MUST 1: a peer that is not on the list is cut off."""
    made = listener_on(tmp_path, addresses)
    await started(made, tmp_path, addresses, ME + 1)
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/pam.sock") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await login_pb2_grpc.LoginServiceStub(channel).BeginLogin(begin(), timeout=5)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    await made.stop(0)


async def test_a_connection_that_is_left_open_has_the_rights_of_now(
    tmp_path: Path, addresses: CallerAddresses
) -> None:
    """API-02: whose role a new configuration takes away has no use of a connection from before."""
    given = [OF_A_SOCKET]
    made = listener_on(tmp_path, addresses)
    route = Route("pam", made.inner, addresses, structlog.get_logger())
    door = Acceptor(route, frozenset({ME}), lambda _uid: given[0])
    await made.start(door, make_socket(tmp_path / "pam.sock", "listeners.pam.socket"))
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/pam.sock") as channel:
        service = login_pb2_grpc.LoginServiceStub(channel)
        await service.BeginLogin(begin(), timeout=5)
        given[0] = Rights()
        door.judge()
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await service.BeginLogin(begin(), timeout=5)
    assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED
    await made.stop(0)


def test_who_has_signed_in_keeps_what_the_session_gives() -> None:
    """What the user of the host has by a new configuration is not what the person behind it has."""
    addresses = CallerAddresses("n")
    address = addresses.bind(Caller("admin", "uid=7", Rights()))
    peer = f"unix-abstract:{address.decode()[1:]}"
    signed_in = Caller("admin", "uid=7 bob@corp", OF_A_SOCKET, until=900.0)
    addresses.become(peer, signed_in)
    addresses.change(address, Caller("admin", "uid=7", Rights()))
    assert addresses.caller(peer) is signed_in


@pytest.mark.usefixtures("listener")
@pytest.mark.parametrize(
    "change",
    [{"user": ""}, {"user": "a\nb"}, {"user": "x" * 257}, {"service": ""}, {"primary": 0}, {"primary": 7}],
)
async def test_what_no_login_has_is_refused_at_the_edge(tmp_path: Path, change: dict[str, object]) -> None:
    """IDN-05: bad names, services and enum values are INVALID_ARGUMENT, and reach nothing."""
    request = login_pb2.BeginLoginRequest(
        **{"user": "alice", "service": "sshd", "primary": login_pb2.PRIMARY_PASSWORD, **change}  # type: ignore[arg-type]  # one field at a time is wrong
    )
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/pam.sock") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await login_pb2_grpc.LoginServiceStub(channel).BeginLogin(request, timeout=5)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_early_bytes_and_large_ones_arrive_in_order(tmp_path: Path, addresses: CallerAddresses) -> None:
    """What comes before the inner end is there waits; a slow reader pauses the writer; nothing is lost."""
    received = bytearray()
    done = asyncio.Event()

    async def inner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            received.extend(data)
        done.set()
        writer.close()

    server = await asyncio.start_unix_server(inner, tmp_path / "x.inner")
    route = Route("x", str(tmp_path / "x.inner"), addresses, structlog.get_logger())
    acceptor = Acceptor(route, frozenset({ME}))
    await acceptor.serve(make_socket(tmp_path / "x.sock", "listeners.x.socket"))
    _, writer = await asyncio.open_unix_connection(tmp_path / "x.sock")
    sent = os.urandom(1_000_000)
    writer.write(sent)
    await writer.drain()
    writer.close()
    await asyncio.wait_for(done.wait(), 20)
    assert bytes(received) == sent
    await acceptor.stop()
    server.close()


async def test_an_inner_end_that_speaks_first_is_heard(tmp_path: Path, addresses: CallerAddresses) -> None:
    """A gRPC server greets before it is asked; not a byte of it may be lost, however early it comes."""

    async def inner(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"greeting")
        writer.close()

    server = await asyncio.start_unix_server(inner, tmp_path / "x.inner")
    route = Route("x", str(tmp_path / "x.inner"), addresses, structlog.get_logger())
    acceptor = Acceptor(route, frozenset({ME}))
    await acceptor.serve(make_socket(tmp_path / "x.sock", "listeners.x.socket"))
    for _ in range(50):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "x.sock")
        assert await asyncio.wait_for(reader.read(), 5) == b"greeting"
        writer.close()
    await acceptor.stop()
    server.close()


def descriptors() -> int:
    """How many files, sockets and the like this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.usefixtures("listener")
async def test_callers_that_leave_at_once_leave_nothing_behind(tmp_path: Path) -> None:
    """MUST 3: both ends of a connection go, whenever its caller does."""
    before = descriptors()
    for _ in range(50):
        _, writer = await asyncio.open_unix_connection(tmp_path / "pam.sock")
        writer.close()
    for _ in range(200):
        if descriptors() <= before:
            break
        await asyncio.sleep(0.02)
    assert descriptors() <= before


def test_addresses_are_read_back_and_nothing_else_is() -> None:
    """Only this process's own nonce names a caller, and only while its connection lasts."""
    addresses = CallerAddresses("n1")
    address = addresses.bind(Caller("pam", "uid=17"))
    bound = address.decode().removeprefix("\0")
    assert str(addresses.caller(f"unix-abstract:{bound}")) == "pam uid=17"
    for forged in ("unix:", f"unix-abstract:{bound.replace('n1', 'n2')}", "ipv4:127.0.0.1:1", ""):
        with pytest.raises(Unidentified):
            addresses.caller(forged)
    addresses.release(address)
    with pytest.raises(Unidentified):
        addresses.caller(f"unix-abstract:{bound}")


def test_a_socket_is_made_only_where_nobody_listens(tmp_path: Path) -> None:
    """A stale socket is replaced; a living one and a file are not; a folder that is not there is told."""
    path = tmp_path / "a.sock"
    first = make_socket(path, "listeners.pam.socket")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigError, match="listens on"):
        make_socket(path, "listeners.pam.socket")
    first.close()
    make_socket(path, "listeners.pam.socket").close()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match="no socket"):
        make_socket(tmp_path / "file", "listeners.pam.socket")
    with pytest.raises(ConfigError, match="can be made at"):
        make_socket(tmp_path / "nowhere" / "a.sock", "listeners.pam.socket")


def test_sockets_of_another_process_are_not_taken() -> None:
    """LISTEN_PID names the process that systemd meant."""
    assert passed_sockets({"LISTEN_PID": "1", "LISTEN_FDS": "1"}, 2) == {}
    assert passed_sockets({}, os.getpid()) == {}
    assert isinstance(socket.AF_UNIX, int)
