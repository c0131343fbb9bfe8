"""gRPC's health checks by service, and what `nightlatch status` says beside them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from grpc_health.v1 import health_pb2, health_pb2_grpc

from testbed.authority import Order
from testbed.process import wait_until

if TYPE_CHECKING:
    from integration.operations.conftest import Watched

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def test_with_every_directory_away_nobody_can_be_served(watched: Watched) -> None:
    """Logins and verifications are NOT_SERVING, keys go on; status and metrics agree."""
    shop = watched.installation.client("shop", Order(("dns:shop.example.com",)))
    with shop.channel() as channel:
        health = health_pb2_grpc.HealthStub(channel)

        def says(service: str) -> int:
            name = f"nightlatch.v1.{service}" if service else ""
            answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=15)
            return int(answer.status)

        def told() -> tuple[int, ...]:
            return tuple(says(one) for one in ("LoginService", "VerificationService", "KeyService", ""))

        assert told() == (SERVING,) * 4
        assert status(watched) == (0, True, "SERVING")
        watched.slapd.stop()
        wait_until(lambda: says("LoginService") == NOT_SERVING, "the health check to notice")
        assert told() == (NOT_SERVING, NOT_SERVING, SERVING, NOT_SERVING)
        code, healthy, detail = status(watched)
        assert (code, healthy) == (1, False)
        assert detail.startswith("NOT_SERVING:")
        assert "LoginService" in detail
        assert "KeyService" not in detail
        serving = {
            one.labels["service"]: one.value
            for family in watched.scraper.families()
            for one in family.samples
            if one.name == "nightlatch_serving"
        }
        assert serving["nightlatch.v1.LoginService"] == 0
        assert serving["nightlatch.v1.KeyService"] == 1
        watched.slapd.start()
        wait_until(lambda: told() == (SERVING,) * 4, "the directory to be noticed again")
    assert status(watched) == (0, True, "SERVING")


def status(watched: Watched) -> tuple[int, bool, str]:
    """The exit code of `nightlatch status`, and its line about health checks."""
    ran = watched.installation.daemon.command("status", "--json")
    (part,) = [one for one in json.loads(ran.stdout)["parts"] if one["kind"] == "health"]
    return ran.returncode, part["healthy"], part["detail"]
