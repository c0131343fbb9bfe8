"""Who may call: every user of the host, and applications with the right to it; a session is one caller's."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.cli.own_session import reason_of
from nightlatch.v1 import account_pb2, account_pb2_grpc, login_pb2
from testbed.applications import VPN, Installation, short_folder
from testbed.authority import Order
from testbed.front_door import directory_table, enroll
from testbed.own_account import OwnService
from testbed.process import Child
from testbed.slapd import password_of

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.own_account import AccountWorld
    from testbed.slapd import Slapd

WEB = """
[[clients]]
name = "web"
san = "dns:web.example.com"
methods = ["account"]
[[clients]]
name = "other"
san = "dns:other.example.com"
methods = ["account"]
"""
NOBODY = 65534
FORWARD = """
import os, socket, sys, threading
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
listening = socket.socket(fileno=int(sys.argv[1]))
def copy(source, sink):
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)
while True:
    front, _ = listening.accept()
    back = socket.socket(socket.AF_UNIX)
    back.connect(sys.argv[2])
    for pair in ((front, back), (back, front)):
        threading.Thread(target=copy, args=pair, daemon=True).start()
"""
"""A program of another user, through which everything looks like that user's."""


def test_a_session_is_one_users(world: AccountWorld) -> None:
    """An ordinary user signs in and sees the account; the session is nothing to another user (API-02)."""
    person = world.person()
    app = world.totp(person)
    through = world.folder / "nobody.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(through))
        listening.listen(8)
        command = [sys.executable, "-c", FORWARD, str(listening.fileno()), str(world.socket)]
        child = Child(command, world.folder / "nobody.log", pass_fds=(listening.fileno(),))
        try:
            with OwnService(through) as nobody, world.service() as root:
                session = nobody.sign_in(person, app.fresh())
                assert nobody.call("GetAccount", session=session).user == person.name
                with pytest.raises(grpc.RpcError) as refused:
                    root.call("GetAccount", session=session)
                assert reason_of(refused.value) == "SESSION_ENDED"
        finally:
            child.stop()
    rows = world.audit("select distinct caller from audit where caller like 'account uid=%'")
    assert (f"account uid={NOBODY}",) in rows


def test_the_command_asks_for_a_fresh_proof_where_one_is_needed(world: AccountWorld) -> None:
    """Signed in by a printed code, a removal asks for another factor and then happens (REC-04)."""
    person = world.person()
    app = world.totp(person)
    world.enroll(person, "email")
    code = world.print_codes(person)[0]
    removed = world.account(
        person,
        "remove",
        world.credentials(person)["email"],
        "--yes",
        typed="".join(
            f"{line}\n" for line in (password_of(person.name), "?", "3", code, "?", "2", app.fresh())
        ),
    )
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert "fresh proof" in removed.stdout
    assert "email" not in world.credentials(person)


def test_applications_need_the_right_and_have_sessions_of_their_own(open_folder: Path, slapd: Slapd) -> None:
    """With the right an application signs people in; its sessions are no other client's (API-02)."""
    made = Installation(short_folder(open_folder), directories=directory_table(slapd), clients=VPN + WEB)
    made.daemon.start()
    try:
        with made.daemon.channel(admin=True) as admin:
            app = enroll(admin, "alice")
        web = made.client("web", Order(("dns:web.example.com",)))
        other = made.client("other", Order(("dns:other.example.com",)))
        with web.channel() as channel:
            stub = account_pb2_grpc.AccountServiceStub(channel)
            begin = account_pb2.BeginSessionRequest(user="alice")
            step = stub.BeginSession(begin, timeout=15).step
            for typed in (password_of("alice"), app.fresh()):
                answer = account_pb2.AnswerSessionRequest(ticket=step.ticket, answer=typed.encode())
                answered = stub.AnswerSession(answer, timeout=15)
                step = answered.step
            assert step.outcome.verdict == login_pb2.VERDICT_GRANTED
            request = account_pb2.GetAccountRequest(session=answered.session)
            shown = stub.GetAccount(request, timeout=15)
            assert (shown.user, shown.sign_ins[0].source) == ("alice", "127.0.0.1")
        for client, code in (
            (other, grpc.StatusCode.UNAUTHENTICATED),
            (made.vpn(), grpc.StatusCode.PERMISSION_DENIED),
        ):
            with client.channel() as channel, pytest.raises(grpc.RpcError) as refused:
                account_pb2_grpc.AccountServiceStub(channel).GetAccount(request, timeout=15)
            assert refused.value.code() is code
    finally:
        made.daemon.stop()
