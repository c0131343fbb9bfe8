"""A real daemon, scraped while people sign in."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1 import login_pb2, verification_pb2, verification_pb2_grpc
from testbed.authority import Order
from testbed.front_door import Person, enroll
from testbed.process import wait_until

if TYPE_CHECKING:
    from integration.operations.conftest import Watched

LOGINS = "nightlatch_logins_total"


def test_logins_are_counted_by_how_they_ended(watched: Watched) -> None:
    """Right, wrong password, wrong code, locked and unavailable: each once, with factor and service."""
    scraper, daemon = watched.scraper, watched.installation.daemon
    with daemon.channel(admin=True) as admin:
        app = enroll(admin, "alice")
    with daemon.channel() as channel:
        alice = Person(channel)
        assert alice.sign_in(app.fresh()).verdict == login_pb2.VERDICT_GRANTED
        assert alice.password("wrong").outcome.verdict == login_pb2.VERDICT_REFUSED
        step = alice.password()
        while not step.HasField("outcome"):
            step = alice.answer(step, app.wrong())
        assert scraper.values(LOGINS, outcome="granted", cause="none", factor="totp", service="sshd") == 1
        assert scraper.values(LOGINS, outcome="refused", cause="password", factor="none") == 1
        assert scraper.values(LOGINS, outcome="refused", cause="factor", factor="totp") == 1
        while step.outcome.verdict != login_pb2.VERDICT_LOCKED:
            step = alice.password()
            while not step.HasField("outcome"):
                step = alice.answer(step, app.wrong())
        assert scraper.values(LOGINS, outcome="locked", cause="factor") == 1
        assert scraper.values("nightlatch_limiter_blocks_total", limit="factor") >= 1
        watched.slapd.stop()
        assert alice.password().outcome.verdict == login_pb2.VERDICT_UNAVAILABLE
    assert scraper.values(LOGINS, outcome="unavailable", cause="directory", service="sshd") == 1
    assert scraper.values("nightlatch_directory_servers", state="passed_over") == 1
    wait_until(lambda: scraper.values("nightlatch_part_up", kind="directory", name="corp") == 0, "the look")


def test_what_was_done_is_timed(watched: Watched) -> None:
    """Calls, steps, directory calls, decisions and commits have times, and nothing is left under way."""
    scraper, daemon = watched.scraper, watched.installation.daemon
    with daemon.channel(admin=True) as admin:
        app = enroll(admin, "alice")
    with daemon.channel() as channel:
        assert Person(channel).sign_in(app.fresh()).verdict == login_pb2.VERDICT_GRANTED
        assert scraper.values("nightlatch_open_connections", listener="pam") == 1
    count = {
        "nightlatch_call_duration_seconds_count": {"method": "LoginService/AnswerLogin", "code": "OK"},
        "nightlatch_login_step_duration_seconds_count": {"step": "factor", "outcome": "granted"},
        "nightlatch_directory_call_duration_seconds_count": {"call": "check_password", "result": "ok"},
        "nightlatch_store_decision_duration_seconds_count": {"result": "ok"},
        "nightlatch_store_commit_duration_seconds_count": {},
        "nightlatch_store_group_decisions_count": {},
    }
    for name, labels in count.items():
        assert scraper.values(name, **labels) >= 1, name
    assert scraper.values("nightlatch_call_duration_seconds_count", method="LoginService/AnswerLogin") == 2
    assert abs(scraper.values("nightlatch_clock_timestamp_seconds") - time.time()) < 5
    assert scraper.values("nightlatch_build_info") == 1
    assert scraper.values("process_resident_memory_bytes") > 1e6
    for activity in ("call", "login step", "store decision", "message"):
        assert scraper.values("nightlatch_under_way", activity=activity) == 0


def test_hostile_names_make_no_labels(watched: Watched) -> None:
    """200 services and users are one label, and none of them is in the exposition (LEK-01)."""
    with watched.installation.daemon.channel() as channel:
        for number in range(200):
            login = Person(channel, user=f"canary-user-{number}", service=f'canary"}}{number}\\')
            login.begin()
        login.password("canary-password")
        Person(channel, service="sudo").password("wrong")
        Person(channel, service="login").password("wrong")
    text = watched.scraper.text()
    assert "canary" not in text
    services = {
        one.labels["service"]
        for family in watched.scraper.families()
        for one in family.samples
        if one.name == LOGINS
    }
    assert services == {"other", "sudo", "login"}
    assert len(text.splitlines()) < 1500


def test_verifications_are_counted(watched: Watched) -> None:
    """Applications' codes, by verdict and service; what the guard turns away is a call all the same."""
    shop = watched.installation.client("shop", Order(("dns:shop.example.com",)))
    with watched.installation.daemon.channel(admin=True) as admin, shop.channel() as channel:
        app = enroll(admin, "alice")
        stub = verification_pb2_grpc.VerificationServiceStub(channel)
        for code in (app.fresh(), app.wrong()):
            stub.VerifyCode(
                verification_pb2.VerifyCodeRequest(user="alice", code=code, service="shop-admin"), timeout=15
            )
        with pytest.raises(grpc.RpcError):
            stub.VerifyCode(
                verification_pb2.VerifyCodeRequest(user="alice", code="1", service="canary"), timeout=15
            )
    scraper = watched.scraper
    for outcome in ("verified", "wrong"):
        assert scraper.values("nightlatch_verifications_total", outcome=outcome, service="shop-admin") == 1
    assert scraper.values("nightlatch_call_duration_seconds_count", code="PERMISSION_DENIED") == 1
    assert scraper.values("nightlatch_open_connections", listener="applications") <= 1


def test_the_exposition_is_no_door(watched: Watched) -> None:
    """Other paths and methods are refused, and idle connections keep no scraper out for long."""
    address = ("127.0.0.1", watched.scraper.port)
    for request, status in ((b"GET /", b"404"), (b"POST /metrics", b"405"), (b"nonsense", b"405")):
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(request + b" HTTP/1.1\r\n\r\n" if b"/" in request else request + b"\r\n\r\n")
            assert status in connection.recv(100)
    idle = [socket.create_connection(address, timeout=10) for _ in range(50)]
    try:

        def scraped() -> bool:
            try:
                return watched.scraper.values("nightlatch_build_info") == 1
            except OSError:
                return False

        wait_until(scraped, "a scrape after the idle ones were cut off")
    finally:
        for connection in idle:
            connection.close()
