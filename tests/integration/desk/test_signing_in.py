"""Administering as somebody: two steps, the role of their groups, until they sign out or the time is over."""

from __future__ import annotations

import json
import os
import time
from base64 import b64decode
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


def sign_in(channel: grpc.Channel, app: App) -> bytes:
    """Give the channel alice's role; her session."""
    service = admin_session_pb2_grpc.AdminSessionServiceStub(channel)
    step = service.BeginSignIn(admin_session_pb2.BeginSignInRequest(user="alice"), timeout=10).step
    for answer in (password_of("alice"), app.fresh()):
        request = admin_session_pb2.AnswerSignInRequest(ticket=step.ticket, answer=answer.encode())
        answered = service.AnswerSignIn(request, timeout=10)
        step = answered.step
    assert answered.role == "admin"
    return bytes(answered.session)


def log_in_as_bob(company: Company, runtime: Path, app: App) -> Path:
    """Let a user of the host sign in as bob; where the session is kept."""
    typed = f"{password_of('bob')}\n{app.fresh()}\n"
    signed = company.command_as(STRANGER, "admin", "login", "bob", typed=typed, runtime=runtime)
    assert signed.returncode == 0, signed.stderr
    assert "Signed in as bob: admin" in signed.stdout
    return runtime / "nightlatch-admin-session"


def put_back(kept: Path, copy: bytes) -> None:
    """Put a copy of a session where it was kept."""
    kept.write_bytes(copy)
    kept.chmod(0o600)
    os.chown(kept, STRANGER, STRANGER)


def connection(company: Company) -> grpc.Channel:
    """A channel with a connection of its own; grpcio shares them otherwise."""
    target = f"unix:{company.daemon.admin_socket}"
    return grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)])


def look_at_bob(channel: grpc.Channel) -> grpc.StatusCode:
    """How a call that needs a role ends."""
    try:
        user_pb2_grpc.UserServiceStub(channel).GetUser(user_pb2.GetUserRequest(user="bob"), timeout=10)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def test_nothing_before_signing_in_and_everything_after(company: Company, runtime: Path) -> None:
    """bob, an administrator by a nested group, disables carol; the audit has his name; then he signs out."""
    app = app_of(company, "bob")
    before = company.command_as(STRANGER, "admin", "user", "show", "carol", runtime=runtime)
    assert (before.returncode, "has no right" in before.stderr) == (1, True)
    assert "nightlatch admin login" in before.stderr
    kept = log_in_as_bob(company, runtime, app)
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
        session = sign_in(channel, app)
        service = admin_session_pb2_grpc.AdminSessionServiceStub(channel)
        resume = admin_session_pb2.ResumeSessionRequest(session=session)
        resumed = service.ResumeSession(resume, timeout=10)
        assert (resumed.account.name, resumed.role) == ("alice", "admin")
        assert 0 < resumed.expire_time.seconds - time.time() <= 900
        users = user_pb2_grpc.UserServiceStub(channel)
        users.DisableUser(user_pb2.DisableUserRequest(user="alice"), timeout=10)
        with pytest.raises(grpc.RpcError) as ended:
            service.ResumeSession(resume, timeout=10)
        assert ended.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert session not in company.daemon.log.read_bytes()


def test_a_connection_that_is_left_open_ends_with_the_session(company: Company) -> None:
    """SES-04: an administrator whom another one disables does nothing more, also where they still are."""
    app = app_of(company, "alice")
    with company.daemon.channel(admin=True) as channel:
        sign_in(channel, app)
        users = user_pb2_grpc.UserServiceStub(channel)
        assert look_at_bob(channel) is grpc.StatusCode.OK
        assert company.daemon.command("admin", "user", "disable", "alice", "--yes").returncode == 0
        with pytest.raises(grpc.RpcError) as ended:
            users.DisableUser(user_pb2.DisableUserRequest(user="bob"), timeout=10)
        assert ended.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_signing_out_ends_the_session_on_every_connection(company: Company) -> None:
    """SES-04: who signed in, and whoever took the session up, has no role any more from the next call on."""
    app = app_of(company, "alice")
    with connection(company) as first, connection(company) as second, connection(company) as third:
        session = sign_in(first, app)
        resume = admin_session_pb2.ResumeSessionRequest(session=session)
        admin_session_pb2_grpc.AdminSessionServiceStub(second).ResumeSession(resume, timeout=10)
        assert {look_at_bob(first), look_at_bob(second)} == {grpc.StatusCode.OK}
        service = admin_session_pb2_grpc.AdminSessionServiceStub(third)
        for _ in range(2):  # what has ended can be ended again
            service.SignOut(admin_session_pb2.SignOutRequest(session=session), timeout=10)
        assert {look_at_bob(first), look_at_bob(second)} == {grpc.StatusCode.UNAUTHENTICATED}
        assert look_at_bob(third) is grpc.StatusCode.OK, "it is root's own"
        with pytest.raises(grpc.RpcError) as ended:
            service.ResumeSession(resume, timeout=10)
        assert ended.value.code() is grpc.StatusCode.UNAUTHENTICATED
    said = company.said("admin.signed_out")[0]
    assert (said["caller"], said["account"]) == ("admin uid=0", company.said("admin.signed_in")[0]["account"])


def test_a_copy_of_the_session_is_of_no_use_after_logout(company: Company, runtime: Path) -> None:
    """SES-04: `admin logout` ends the session in the daemon; no other user of the host can (SES-03)."""
    kept = log_in_as_bob(company, runtime, app_of(company, "bob"))
    copy = kept.read_bytes()
    bearer = admin_session_pb2.SignOutRequest(session=b64decode(json.loads(copy)[1]))
    with company.daemon.channel(admin=True) as channel, pytest.raises(grpc.RpcError) as refused:
        admin_session_pb2_grpc.AdminSessionServiceStub(channel).SignOut(bearer, timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    show = ("admin", "user", "show", "carol")
    assert company.command_as(STRANGER, *show, runtime=runtime).returncode == 0
    left = company.command_as(STRANGER, "admin", "logout", runtime=runtime)
    assert (left.returncode, left.stdout, kept.exists()) == (0, "Signed out.\n", False)
    put_back(kept, copy)
    again = company.command_as(STRANGER, *show, runtime=runtime)
    assert (again.returncode, "has no right" in again.stderr) == (1, True)
    none = company.command_as(STRANGER, "admin", "logout", runtime=runtime)
    assert (none.returncode, none.stdout) == (0, "You were not signed in.\n")


def test_signing_out_while_the_daemon_is_away_is_an_outage(company: Company, runtime: Path) -> None:
    """FLT-01: the session is forgotten here, it is said that it stays open there, and the exit code is 3."""
    kept = log_in_as_bob(company, runtime, app_of(company, "bob"))
    company.daemon.stop()
    left = company.command_as(STRANGER, "admin", "logout", runtime=runtime)
    assert (left.returncode, left.stdout, kept.exists()) == (3, "", False)
    assert "stays open until its 15 minutes are over" in left.stderr
