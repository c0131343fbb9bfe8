"""LEK-01, LEK-02: canaries as password, code, seed, ticket and bind password, at the most talkative level."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1 import enrollment_pb2, enrollment_pb2_grpc, login_pb2, login_pb2_grpc
from testbed.front_door import Person
from testbed.slapd import SERVICE_PASSWORD, password_of

if TYPE_CHECKING:
    from testbed.front_door import FrontDoor

CANARY = "canary-9f3e-Zufriedenheit"


def everything_written(folder: Path) -> bytes:
    """All that the daemon and sshd have left behind: logs, database, configuration."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_no_secret_is_in_any_log_or_file(door: FrontDoor) -> None:
    """Whatever is typed, enrolled or sent, right or wrong, none of it is written in the clear."""
    secrets = {SERVICE_PASSWORD, password_of("alice"), CANARY}
    with door.daemon.channel(admin=True) as admin:
        service = enrollment_pb2_grpc.EnrollmentServiceStub(admin)
        request = enrollment_pb2.BeginEnrollmentRequest(user="alice", factor="totp", label="phone")
        shown = service.BeginEnrollment(request, timeout=15)
        secrets |= {detail.value.replace(" ", "") for detail in shown.details if detail.name == "secret"}
    app = door.enroll("alice")
    right, wrong = app.fresh(), app.wrong()
    tickets = set()
    with door.daemon.channel() as channel:
        person = Person(channel)
        person.answer(person.begin(), CANARY)
        Person(channel, CANARY).password(CANARY)
        step = person.password()
        tickets.add(step.ticket)
        person.answer(step, CANARY)
        step = person.password()
        step = person.answer(step, wrong)
        assert person.answer(step, right).outcome.verdict == login_pb2.VERDICT_GRANTED
        stub = login_pb2_grpc.LoginServiceStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            stub.AnswerLogin(login_pb2.AnswerLoginRequest(ticket=CANARY.encode(), answer=CANARY.encode()))
        assert CANARY not in str(refused.value)
    door.slapd.stop()
    with door.daemon.channel() as channel:
        Person(channel).password(CANARY)
    written = everything_written(door.folder)
    for secret in secrets:
        assert secret.encode() not in written, secret
        assert base64.b64encode(secret.encode()) not in written
    for secret in secrets - {SERVICE_PASSWORD, password_of("alice"), CANARY}:
        assert base64.b32decode(secret) not in written
    for code in (right, wrong):
        assert f'"{code}"'.encode() not in written
    for ticket in tickets:
        assert ticket not in written


def test_the_daemon_can_not_be_dumped_and_shows_no_secret(door: FrontDoor) -> None:
    """LEK-02: no core, no ptrace by its user, and nothing secret in its arguments or environment."""
    door.enroll("alice")
    process = Path("/proc") / str(door.daemon.pid)
    shown = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert SERVICE_PASSWORD.encode() not in shown
    limits = (process / "limits").read_text().splitlines()
    core = next(line for line in limits if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
