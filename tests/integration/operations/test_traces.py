"""Traces of a real daemon, as a collector gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from nightlatch.v1 import (
    enrollment_pb2,
    enrollment_pb2_grpc,
    login_pb2,
    login_pb2_grpc,
    verification_pb2,
    verification_pb2_grpc,
)
from testbed.applications import begin
from testbed.authority import Order
from testbed.front_door import Person, enroll
from testbed.process import wait_until
from testbed.slapd import password_of
from testbed.telemetry import attributes

if TYPE_CHECKING:
    from integration.operations.conftest import Watched

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ANSWER = "LoginService/AnswerLogin"


def enroll_by_text(watched: Watched, user: str) -> None:
    """Give somebody codes by text message."""
    with watched.installation.daemon.channel(admin=True) as admin:
        service = enrollment_pb2_grpc.EnrollmentServiceStub(admin)
        request = enrollment_pb2.BeginEnrollmentRequest(
            user=user, factor="sms", label="phone", address="+14155550123"
        )
        begun = service.BeginEnrollment(request, timeout=15)
        wait_until(lambda: bool(watched.posts.codes()), "the text message")
        answer = watched.posts.codes()[-1].encode()
        service.ConfirmEnrollment(
            enrollment_pb2.ConfirmEnrollmentRequest(ticket=begun.ticket, answer=answer), timeout=15
        )


def test_a_login_from_the_call_to_the_store_and_the_channel(watched: Watched) -> None:
    """Password by PAM, code by text message: one trace has step, directory, decisions and message."""
    enroll_by_text(watched, "alice")
    before = len(watched.posts.codes())
    with watched.installation.daemon.channel() as channel:
        alice = Person(channel)
        step = alice.password()
        wait_until(lambda: len(watched.posts.codes()) > before, "the text message")
        outcome = alice.answer(step, watched.posts.codes()[-1]).outcome
    assert outcome.verdict == login_pb2.VERDICT_GRANTED
    posts = watched.posts
    root = posts.span(
        lambda one: (
            one.name == ANSWER
            and any(
                other.name == "login step password"
                for other in posts.spans()
                if other.trace_id == one.trace_id
            )
        )
    )
    names = {one.name for one in posts.below(root, 6)}
    assert names >= {
        "login step password",
        "directory call corp find",
        "directory call corp check_password",
        "store decision",
        "message gateway",
    }
    parts = posts.below(root, 6)
    step_span = next(one for one in parts if one.name == "login step password")
    assert root.kind == Span.SPAN_KIND_SERVER
    assert not root.parent_span_id
    assert step_span.parent_span_id == root.span_id
    assert {one.parent_span_id for one in parts if one != step_span} <= {step_span.span_id, root.span_id}
    references = {attributes(one).get("nightlatch.reference") for one in (root, *parts)}
    assert references == {outcome.reference}
    assert attributes(root)["rpc.grpc.status"] == "OK"
    assert attributes(step_span)["nightlatch.result"] == "prompt"


def test_an_application_s_trace_goes_on_here(watched: Watched) -> None:
    """Its traceparent is the parent; PAM's, and what is no such thing, are not; no right comes with it."""
    shop = watched.installation.client("shop", Order(("dns:shop.example.com",)))
    good = (("traceparent", f"00-{TRACE}-{PARENT}-00"), ("tracestate", "canary=1"))
    with shop.channel() as channel, watched.installation.daemon.channel() as pam:
        stub = login_pb2_grpc.LoginServiceStub(channel)
        stub.BeginLogin(begin("shop"), timeout=15, metadata=good)
        stub.BeginLogin(begin("shop"), timeout=15, metadata=(("traceparent", "00-canary"),))
        zero = (("traceparent", f"00-{'0' * 32}-{PARENT}-01"),)
        stub.BeginLogin(begin("shop-admin"), timeout=15, metadata=zero)
        login_pb2_grpc.LoginServiceStub(pam).BeginLogin(begin("sshd"), timeout=15, metadata=good)
    posts = watched.posts
    wait_until(lambda: sum(one.name == "LoginService/BeginLogin" for one in posts.spans()) == 4, "four calls")
    calls = [one for one in posts.spans() if one.name == "LoginService/BeginLogin"]
    (joined,) = [one for one in calls if one.trace_id.hex() == TRACE]
    assert joined.parent_span_id.hex() == PARENT
    assert attributes(joined)["nightlatch.caller"] == "client shop"
    assert sum(not one.parent_span_id for one in calls) == 3
    assert {attributes(one)["nightlatch.caller"] for one in calls} == {"client shop", "pam"}


def test_nobody_is_named(watched: Watched) -> None:
    """LEK-01: no user, address, password, code or number is in any span; an outage is an error there."""
    enroll_by_text(watched, "alice")
    with watched.installation.daemon.channel(admin=True) as admin:
        app = enroll(admin, "bob")
    shop = watched.installation.client("shop", Order(("dns:shop.example.com",)))
    code = app.fresh()
    with watched.installation.daemon.channel() as channel, shop.channel() as remote:
        Person(channel).password()
        Person(channel, "canary-user").password("canary-password")
        verification_pb2_grpc.VerificationServiceStub(remote).VerifyCode(
            verification_pb2.VerifyCodeRequest(user="bob", code=code), timeout=15
        )
        watched.slapd.stop()
        Person(channel).password()
    watched.posts.span(lambda one: one.status.code == Status.STATUS_CODE_ERROR)
    assert watched.installation.daemon.stop() == 0  # what waits is sent at the end
    sent = b"".join(body for path, body in watched.posts.kept if path == "/v1/traces")
    codes = watched.posts.codes()
    for secret in ("alice", "bob", "canary", "192.0.2.7", "4155550123", password_of("alice"), code, *codes):
        assert secret.encode() not in sent, secret
    watched.installation.daemon.start()


def test_a_collector_that_is_away_disturbs_nobody(watched: Watched) -> None:
    """Logins go on, and the daemon ends in time."""
    with watched.installation.daemon.channel(admin=True) as admin:
        app = enroll(admin, "alice")
    watched.posts.stop()
    with watched.installation.daemon.channel() as channel:
        assert Person(channel).sign_in(app.fresh()).verdict == login_pb2.VERDICT_GRANTED
    assert watched.installation.daemon.stop() == 0
    watched.installation.daemon.start()
