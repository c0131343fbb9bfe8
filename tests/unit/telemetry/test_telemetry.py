"""What watching keeps: bounded labels, results by error, and nothing left under way."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from nightlatch.channel import NotSent
from nightlatch.errors import Locked, Refused, Restricted, Unavailable
from nightlatch.telemetry.metrics import Metrics
from nightlatch.telemetry.results import result_of
from nightlatch.telemetry.telemetry import Telemetry
from nightlatch.watching import Activity, Ending, Kind
from testbed.core import FakeClock


@pytest.fixture
def metrics() -> Metrics:
    """Metrics that know one service."""
    return Metrics(("sshd",))


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """A sample's value; 0 for one that is not there."""
    return metrics.registry.get_sample_value(name, labels) or 0.0


def ending(service: str) -> Ending:
    """A login that was granted."""
    return Ending(Kind.LOGIN, "granted", "", "totp", service)


def test_services_that_nobody_configured_are_one(metrics: Metrics) -> None:
    """However many a caller makes up, there is one label for them; a reload changes which are known."""
    for number in range(1000):
        metrics.ended(ending(f"service-{number}"))
    metrics.ended(ending("sshd"))
    metrics.know(("sudo",))
    metrics.ended(ending("sshd"))
    metrics.ended(ending("sudo"))
    labels = {"outcome": "granted", "cause": "none", "factor": "totp"}
    assert value(metrics, "nightlatch_logins_total", service="other", **labels) == 1001
    assert value(metrics, "nightlatch_logins_total", service="sshd", **labels) == 1
    assert value(metrics, "nightlatch_logins_total", service="sudo", **labels) == 1


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (Refused("no"), "refused"),
        (Restricted("no", "closed"), "refused"),
        (Locked("no", 1.0), "locked"),
        (Unavailable("store", "away"), "unavailable"),
        (NotSent("no"), "not_sent"),
        (asyncio.CancelledError(), "cancelled"),
        (RuntimeError("canary"), "failed"),
    ],
)
def test_an_error_is_a_word(metrics: Metrics, error: BaseException, word: str) -> None:
    """Refused and unavailable are never mixed, and the error goes on to whom it belongs."""
    clock = FakeClock()
    telemetry = Telemetry(clock.steady, metrics)

    async def fail() -> None:
        with telemetry.during(Activity.DIRECTORY, "corp", "find"):
            await clock.sleep(0.2)
            raise error

    with pytest.raises(type(error)):
        asyncio.run(fail())
    assert result_of(type(error)) == word
    labels = {"directory": "corp", "call": "find", "result": word}
    name = "nightlatch_directory_call_duration_seconds"
    assert value(metrics, f"{name}_count", **labels) == 1
    assert value(metrics, f"{name}_sum", **labels) == pytest.approx(0.2)
    assert set(telemetry.under_way.values()) == {0}


async def test_a_reference_stays_with_its_call() -> None:
    """Two calls at the same time do not learn each other's login; outside of calls nothing is remembered."""
    telemetry = Telemetry(FakeClock().steady)
    both = asyncio.Barrier(2)

    async def call(reference: str) -> str:
        made = telemetry.call("LoginService/BeginLogin", "pam", "")
        await both.wait()
        telemetry.about(reference)
        await both.wait()
        made.over("OK", 0.1)
        telemetry.about("later")
        return made.reference

    assert list(await asyncio.gather(call("one"), call("two"))) == ["one", "two"]
    assert telemetry.under_way["call"] == 0


def test_without_metrics_nothing_is_kept() -> None:
    """Off, everything may still be told."""
    telemetry = Telemetry(FakeClock().steady)
    with contextlib.suppress(Refused), telemetry.during(Activity.STEP, "factor"):
        raise Refused("no")
    telemetry.ended(ending("sshd"))
    telemetry.proof("", "locked")
    telemetry.blocked("factor")
    telemetry.committed(1, 0.1)
    telemetry.close()
    assert telemetry.metrics is None
