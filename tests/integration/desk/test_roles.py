"""Roles against a real daemon and slapd: by user of the host, by application, and over whom (API-02)."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1 import (
    admin_pb2,
    admin_pb2_grpc,
    enrollment_pb2,
    enrollment_pb2_grpc,
    user_pb2,
    user_pb2_grpc,
)
from testbed.authority import Order
from testbed.company import AUDITOR, HELPER
from testbed.elsewhere import BASE32
from testbed.process import wait_until

if TYPE_CHECKING:
    from testbed.company import Company
    from testbed.slapd import Slapd

DENIED = grpc.StatusCode.PERMISSION_DENIED


def test_a_helpdesk_helps_and_no_more(company: Company) -> None:
    """It shows, unlocks, invites and resets; it disables nobody, enrols nobody, and reads no report."""
    for words in (
        ("admin", "user", "show", "carol"),
        ("admin", "user", "unlock", "carol"),
        ("invite", "carol"),
        ("credential", "reset", "carol", "--yes"),
        ("device", "revoke", "carol", "--all", "--yes"),
    ):
        done = company.command_as(HELPER, *words, "--json")
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    for words in (
        ("admin", "user", "disable", "carol", "--yes"),
        ("credential", "enroll", "totp", "carol"),
        ("policy", "report"),
    ):
        done = company.command_as(HELPER, *words)
        assert (done.returncode, "has no right" in done.stderr) == (1, True), words
        assert "[[roles]]" in done.stderr
    source = company.daemon.folder / "uris"
    source.write_text(f"otpauth://totp/carol?secret={BASE32}\n")
    source.chmod(0o644)
    moved = company.command_as(HELPER, "import", "otpauth", str(source))
    assert (moved.returncode, moved.stdout, "has no right" in moved.stderr) == (1, "", True)


def test_an_auditor_only_looks(company: Company) -> None:
    """Everything that changes something is refused, and what is read is read."""
    for words in (("status",), ("admin", "user", "show", "carol"), ("policy", "report")):
        assert company.command_as(AUDITOR, *words).returncode in {0, 1}, words
        assert "has no right" not in company.command_as(AUDITOR, *words).stderr
    for words in (("invite", "carol"), ("admin", "user", "unlock", "carol")):
        assert "has no right" in company.command_as(AUDITOR, *words).stderr


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_nobody_but_an_administrator_resets_an_administrator(company: Company, user: str) -> None:
    """By group, nested ones too; on the socket and over the network; root does."""
    for words in (
        ("credential", "reset", user, "--yes"),
        ("invite", user),
        ("admin", "user", "unlock", user),
        ("device", "revoke", user, "--all", "--yes"),
    ):
        done = company.command_as(HELPER, *words)
        assert (done.returncode, "is an administrator" in done.stderr) == (1, True), (words, done.stderr)
    assert company.command_as(HELPER, "admin", "user", "show", user).returncode == 0
    assert company.daemon.command("credential", "reset", user, "--yes", "--json").returncode == 0


def test_an_application_has_the_methods_of_its_role(company: Company) -> None:
    """API-02: a helpdesk's application resets carol, not alice; it removes no policy and disables nobody."""
    with company.client("desk", Order(("dns:desk.example.com",))).channel() as channel:
        users = user_pb2_grpc.UserServiceStub(channel)
        assert users.ResetUser(user_pb2.ResetUserRequest(user="carol"), timeout=10).invite
        with pytest.raises(grpc.RpcError) as refused:
            users.ResetUser(user_pb2.ResetUserRequest(user="alice"), timeout=10)
        assert refused.value.code() is DENIED
        with pytest.raises(grpc.RpcError) as refused:
            users.DisableUser(user_pb2.DisableUserRequest(user="carol"), timeout=10)
        assert refused.value.code() is DENIED
        request = admin_pb2.TestChannelRequest(channel="mail", address="x@nl.test")
        with pytest.raises(grpc.RpcError) as refused:
            admin_pb2_grpc.AdminServiceStub(channel).TestChannel(request, timeout=10)
        assert refused.value.code() is DENIED


def test_an_application_without_a_role_enrols_no_administrator(company: Company) -> None:
    """The right to enrol is not one over administrators: else it would be a way to become one."""
    with company.client("portal", Order(("dns:portal.example.com",))).channel() as channel:
        stub = enrollment_pb2_grpc.EnrollmentServiceStub(channel)
        request = enrollment_pb2.BeginEnrollmentRequest(user="carol", factor="totp")
        assert stub.BeginEnrollment(request, timeout=10).ticket
        with pytest.raises(grpc.RpcError) as refused:
            stub.BeginEnrollment(
                enrollment_pb2.BeginEnrollmentRequest(user=" ALICE", factor="totp"), timeout=10
            )
        assert refused.value.code() is DENIED


def test_a_directory_that_is_away_protects_everybody(company: Company, slapd: Slapd) -> None:
    """Whether somebody is an administrator can not be found out: that is an outage, and nothing is reset."""
    slapd.stop()
    try:
        done = company.command_as(HELPER, "credential", "reset", "alice", "--yes", "--json")
    finally:
        slapd.start()
    assert done.returncode == 3
    assert json.loads(done.stdout.splitlines()[-1])["error"]["status"] == "UNAVAILABLE"


def test_a_reload_counts_on_connections_that_are_open(company: Company) -> None:
    """API-02: whom a new configuration makes an auditor changes nothing any more, wherever they have been."""
    daemon = company.daemon
    with daemon.channel(admin=True) as channel:
        users = user_pb2_grpc.UserServiceStub(channel)
        users.DisableUser(user_pb2.DisableUserRequest(user="carol"), timeout=10)
        daemon.config.write_text(daemon.config.read_text() + '\n[[roles]]\nrole = "auditor"\nuids = [0]\n')
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: bool(company.said("config.reloaded")), "the reload")
        with pytest.raises(grpc.RpcError) as refused:
            users.EnableUser(user_pb2.EnableUserRequest(user="carol"), timeout=10)
        assert refused.value.code() is DENIED
        assert users.GetUser(user_pb2.GetUserRequest(user="carol"), timeout=10).limits.HasField(
            "disable_time"
        )
