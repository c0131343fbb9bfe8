"""Administering as somebody: two steps, the role of their groups, for a quarter of an hour."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1 import admin_session_pb2, admin_session_pb2_grpc, user_pb2, user_pb2_grpc
from testbed.company import STRANGER
from testbed.elsewhere import BASE32
from testbed.front_door import enroll
from testbed.slapd import password_of

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.codes import App
    from testbed.company import Company


@pytest.fixture
def runtime(company: Company) -> Path:
    """The runtime folder of a user of the host."""
    folder = company.daemon.folder / "xdg"
    folder.mkdir(mode=0o700)
    os.chown(folder, STRANGER, STRANGER)
    return folder


def app_of(company: Company, user: str) -> App:
    """A person's new app."""
    with company.daemon.channel(admin=True) as channel:
        return enroll(channel, user)


def test_nothing_before_signing_in_and_everything_after(company: Company, runtime: Path) -> None:
    """bob, an administrator by a nested group, disables carol; the audit has his name; then he signs out."""
    app = app_of(company, "bob")
    before = company.command_as(STRANGER, "admin", "user", "show", "carol", runtime=runtime)
    assert (before.returncode, "has no right" in before.stderr) == (1, True)
    assert "nightlatch admin login" in before.stderr
    typed = f"{password_of('bob')}\n{app.fresh()}\n"
    signed = company.command_as(STRANGER, "admin", "login", "bob", typed=typed, runtime=runtime)
    assert signed.returncode == 0, signed.stderr
    assert "Signed in as bob: admin" in signed.stdout
    kept = runtime / "nightlatch-admin-session"
    assert kept.stat().st_mode & 0o777 == 0o600
    done = company.command_as(STRANGER, "admin", "user", "disable", "carol", "--yes", runtime=runtime)
    assert done.returncode == 0, done.stderr
    source = company.daemon.folder / "uris"
    source.write_text(f"otpauth://totp/carol?secret={BASE32}\n")
    source.chmod(0o644)
    moved = company.command_as(STRANGER, "import", "otpauth", str(source), runtime=runtime)
    assert (moved.returncode, "1 imported" in moved.stdout) == (0, True), moved.stderr
    said = company.said("account.disabled")[-1]
    assert said["caller"] == f"admin uid={STRANGER} bob@corp"
    assert company.command_as(STRANGER, "admin", "logout", runtime=runtime).returncode == 0
    assert company.command_as(STRANGER, "invite", "carol", runtime=runtime).returncode == 1


def test_somebody_without_a_role_and_a_wrong_code_get_no_session(company: Company, runtime: Path) -> None:
    """Who signs in rightly without a role gets none; alice's wrong codes are refused as at any login."""
    app, other = app_of(company, "carol"), app_of(company, "alice")
    typed = f"{password_of('carol')}\n{app.fresh()}\n"
    carol = company.command_as(STRANGER, "admin", "login", "carol", typed=typed, runtime=runtime)
    assert (carol.returncode, "none of your groups has a role" in carol.stderr) == (1, True)
    typed = f"{password_of('alice')}\n" + f"{other.wrong()}\n" * 3
    alice = company.command_as(STRANGER, "admin", "login", "alice", typed=typed, runtime=runtime)
    assert alice.returncode == 1
    assert not (runtime / "nightlatch-admin-session").exists()


def test_a_session_is_of_one_user_of_the_host_and_ends_with_the_person(
    company: Company, runtime: Path
) -> None:
    """SES-04: a session carried elsewhere is of no use, and one of a person who was disabled has ended."""
    app = app_of(company, "alice")
    with company.daemon.channel(admin=True) as channel:
        service = admin_session_pb2_grpc.AdminSessionServiceStub(channel)
        step = service.BeginSignIn(admin_session_pb2.BeginSignInRequest(user="alice"), timeout=10).step
        for answer in (password_of("alice"), app.fresh()):
            request = admin_session_pb2.AnswerSignInRequest(ticket=step.ticket, answer=answer.encode())
            answered = service.AnswerSignIn(request, timeout=10)
            step = answered.step
        assert answered.role == "admin"
        resume = admin_session_pb2.ResumeSessionRequest(session=answered.session)
        resumed = service.ResumeSession(resume, timeout=10)
        assert (resumed.account.name, resumed.role) == ("alice", "admin")
        assert 0 < resumed.expire_time.seconds - time.time() <= 900
        users = user_pb2_grpc.UserServiceStub(channel)
        users.DisableUser(user_pb2.DisableUserRequest(user="alice"), timeout=10)
        with pytest.raises(grpc.RpcError) as ended:
            service.ResumeSession(resume, timeout=10)
        assert ended.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert answered.session not in company.daemon.log.read_bytes()


def test_a_connection_that_is_left_open_ends_with_the_session(company: Company) -> None:
    """SES-04: an administrator whom another one disables does nothing more, also where they still are."""
    app = app_of(company, "alice")
    with company.daemon.channel(admin=True) as channel:
        service = admin_session_pb2_grpc.AdminSessionServiceStub(channel)
        step = service.BeginSignIn(admin_session_pb2.BeginSignInRequest(user="alice"), timeout=10).step
        for answer in (password_of("alice"), app.fresh()):
            request = admin_session_pb2.AnswerSignInRequest(ticket=step.ticket, answer=answer.encode())
            step = service.AnswerSignIn(request, timeout=10).step
        users = user_pb2_grpc.UserServiceStub(channel)
        assert users.GetUser(user_pb2.GetUserRequest(user="bob"), timeout=10).account.name == "bob"
        assert company.daemon.command("admin", "user", "disable", "alice", "--yes").returncode == 0
        with pytest.raises(grpc.RpcError) as ended:
            users.DisableUser(user_pb2.DisableUserRequest(user="bob"), timeout=10)
        assert ended.value.code() is grpc.StatusCode.UNAUTHENTICATED
