"""One line in the log for each call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from nightlatch.v1 import login_pb2, login_pb2_grpc
from testbed.authority import Order
from testbed.front_door import Person, enroll

if TYPE_CHECKING:
    from integration.operations.conftest import Watched


def test_a_call_is_a_line(watched: Watched) -> None:
    """Method, caller, code, milliseconds and the login's reference, and nothing that was sent (LEK-01)."""
    daemon = watched.installation.daemon
    with daemon.channel(admin=True) as admin:
        app = enroll(admin, "alice")
    with daemon.channel() as channel:
        outcome = Person(channel).sign_in(app.fresh())
        with pytest.raises(grpc.RpcError):
            login_pb2_grpc.LoginServiceStub(channel).AnswerLogin(
                login_pb2.AnswerLoginRequest(ticket=b"canary", answer=b"canary"), timeout=15
            )
    shop = watched.installation.client("shop", Order(("dns:shop.example.com",)))
    with shop.channel() as remote:
        health_pb2_grpc.HealthStub(remote).Check(health_pb2.HealthCheckRequest(), timeout=15)
    assert daemon.stop() == 0  # all lines are written
    lines = [one for one in daemon.events() if one["event"] == "call.ended"]
    told = [(one["method"], one["caller"], one["code"]) for one in lines if one["caller"] == "pam uid=0"]
    assert told == [
        ("LoginService/BeginLogin", "pam uid=0", "OK"),
        ("LoginService/AnswerLogin", "pam uid=0", "OK"),
        ("LoginService/AnswerLogin", "pam uid=0", "OK"),
        ("LoginService/AnswerLogin", "pam uid=0", "FAILED_PRECONDITION"),
    ]
    assert sum(one.get("ref") == outcome.reference for one in lines) == 3
    assert all(one["ms"] > 0 for one in lines)
    fields = {"time", "level", "event", "method", "caller", "code", "ms", "ref"}
    assert all(set(one) <= fields for one in lines)
    assert not [one for one in lines if "Health" in one["method"]]  # those are for the level debug
    assert "canary" not in daemon.log.read_text()
    daemon.start()


def test_lines_can_be_left_out(watched: Watched) -> None:
    """With log.calls = false only what calls did is told."""
    daemon = watched.installation.daemon
    daemon.stop()
    text = daemon.config.read_text().replace("[log]", "[log]\ncalls = false")
    daemon.config.write_text(text)
    daemon.start()
    with daemon.channel() as channel:
        Person(channel).password("wrong")
    daemon.stop()
    assert {"login.ended"} == {
        one["event"] for one in daemon.events() if one["event"] in {"login.ended", "call.ended"}
    }
    daemon.start()
