"""Whom a call asks, in which order and for how long; and what may not be asked twice."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.client import ClientError, Denied, Expired, InvalidRequest, TooMany, Unavailable
from nightlatch.client.attempts import Attempts
from nightlatch.client.failure import read_failure
from nightlatch.client.targets import PASSED_OVER, Targets

NOT_CONNECTED = "failed to connect to all addresses; last error: Connection refused"
Code = grpc.StatusCode


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Failed(grpc.RpcError):
    """A failed call, as grpcio tells it."""

    def __init__(self, code: Code, words: str = "", reason: str = "", delay: float = 0) -> None:
        self._code, self._words = code, words
        details = []
        if reason:
            details.append(AnyMessage())
            details[-1].Pack(ErrorInfo(reason=reason, domain="nightlatch"))
        if delay:
            duration = Duration()
            duration.FromMilliseconds(int(delay * 1000))
            details.append(AnyMessage())
            details[-1].Pack(RetryInfo(retry_delay=duration))
        self._metadata = (("grpc-status-details-bin", Status(details=details).SerializeToString()),)

    def code(self) -> Code:
        return self._code

    def details(self) -> str:
        return self._words

    def trailing_metadata(self) -> Any:  # noqa: ANN401, grpcio's own type is not to be had
        return self._metadata if self._metadata[0][1] else ()


REFUSED = Failed(Code.UNAVAILABLE, NOT_CONNECTED)
LOST = Failed(Code.UNAVAILABLE, "recvmsg:Connection reset by peer")
OUTAGE = Failed(Code.UNAVAILABLE, "directory corp: away", "UNAVAILABLE", 1)


def attempts(targets: Targets, clock: Clock, *, harmless: bool = True, seconds: float = 10) -> Attempts:
    """One call."""
    return Attempts(targets, seconds, harmless=harmless, steady=clock, chance=lambda: 1.0)


def test_each_target_gets_its_share_of_the_time() -> None:
    """A target that hangs leaves time for those behind it; the last has all that is left."""
    clock = Clock()
    call = attempts(Targets(["one:1", "two:1"], clock), clock)
    assert (call.target, call.seconds()) == ("one:1", 5)
    clock.now += 5
    assert call.failed(Failed(Code.DEADLINE_EXCEEDED)) == 0
    assert (call.target, call.seconds()) == ("two:1", 5)


def test_who_was_silent_is_passed_over_for_a_while_and_then_tried_by_one() -> None:
    """The next calls begin with the other; after the time one call tries again, and no second one."""
    clock = Clock()
    targets = Targets(["one:1", "two:1"], clock)
    attempts(targets, clock).failed(REFUSED)
    assert targets.in_order() == ["two:1", "one:1"]
    clock.now += PASSED_OVER
    assert targets.in_order() == ["one:1", "two:1"]
    assert targets.in_order() == ["two:1", "one:1"]
    targets.answered("one:1")
    assert targets.in_order() == ["one:1", "two:1"]


def test_a_daemon_with_an_outage_behind_it_is_not_passed_over() -> None:
    """It has answered; the other is asked at once, and after both the daemon's delay is kept."""
    clock = Clock()
    targets = Targets(["one:1", "two:1"], clock)
    call = attempts(targets, clock)
    assert call.failed(OUTAGE) == 0
    assert call.failed(OUTAGE) == 1
    assert targets.in_order() == ["one:1", "two:1"]


def test_pauses_grow_and_stay_within_the_time() -> None:
    """0.1 s, then twice as long each time, at most 2 s; the call ends before its time, with what was said."""
    clock = Clock()
    call = attempts(Targets(["one:1"], clock), clock)
    pauses: list[float] = []

    def until_it_gives_up() -> None:
        while True:
            pauses.append(call.failed(REFUSED))
            clock.now += pauses[-1]

    with pytest.raises(Unavailable, match="Connection refused"):
        until_it_gives_up()
    assert pauses[:6] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0]
    assert sum(pauses) < 10


@pytest.mark.parametrize(
    "failure", [LOST, OUTAGE, Failed(Code.DEADLINE_EXCEEDED), Failed(Code.CANCELLED), Failed(Code.INTERNAL)]
)
def test_what_may_have_arrived_is_repeated_only_when_that_is_harmless(failure: Failed) -> None:
    """An answer to a prompt, or the wish for a message, is sent once; unconnected it was not sent."""
    clock = Clock()
    targets = Targets(["one:1"], clock)
    assert attempts(targets, clock).failed(failure) > 0
    with pytest.raises(Unavailable):
        attempts(targets, clock, harmless=False).failed(failure)
    assert attempts(targets, clock, harmless=False).failed(REFUSED) > 0


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Failed(Code.PERMISSION_DENIED, "no", "FORBIDDEN"), Denied),
        (Failed(Code.UNAUTHENTICATED, "who"), Denied),
        (Failed(Code.INVALID_ARGUMENT, "long", "INVALID"), InvalidRequest),
        (Failed(Code.FAILED_PRECONDITION, "old", "TICKETERROR"), Expired),
        (Failed(Code.FAILED_PRECONDITION, "other", "CONFLICT"), Expired),
        (Failed(Code.RESOURCE_EXHAUSTED, "enough"), TooMany),
        (Failed(Code.RESOURCE_EXHAUSTED, "enough", "LOCKED", 30), TooMany),
        (Failed(Code.INTERNAL, "failed", "KEYERROR"), Unavailable),
        (grpc.RpcError(), Unavailable),
    ],
)
def test_each_failure_is_one_error(failure: grpc.RpcError, kind: type[ClientError]) -> None:
    """What a daemon has said is not asked again, and a limit not before its time."""
    clock = Clock()
    with pytest.raises(ClientError) as raised:
        attempts(Targets(["one:1"], clock), clock, harmless=False).failed(failure)
    assert type(raised.value) is kind


def test_a_client_s_own_limit_is_waited_for() -> None:
    """Too many calls a second: nothing was done, so that even a call of effect is made again."""
    clock = Clock()
    limit = Failed(Code.RESOURCE_EXHAUSTED, "shop may make 200 calls a second", "LOCKED", 1)
    assert attempts(Targets(["one:1"], clock), clock, harmless=False).failed(limit) == 1


@given(st.binary(max_size=200))
def test_details_that_can_not_be_read_are_none(encoded: bytes) -> None:
    """What stands in the metadata never raises, and never makes a delay below 0."""
    error = Failed(Code.UNAVAILABLE, "away")
    error._metadata = (("grpc-status-details-bin", encoded),)
    assert read_failure(error).retry_after >= 0


@pytest.mark.parametrize(
    "name", ["", "mfa.example.com", "https://mfa:1", "2001:db8::7:1", "mfa:port", ":7443"]
)
def test_what_is_no_address_is_said_at_once(name: str) -> None:
    """The words show how an address looks."""
    with pytest.raises(InvalidRequest, match=r"mfa\.example\.com:7443"):
        Targets([name], Clock())


def test_addresses() -> None:
    """Host and port, IPv6 in brackets, a unix socket; and at least one of them."""
    names = ["mfa.example.com:7443", "[2001:db8::7]:7443", "unix:/run/nightlatch/pam.sock"]
    assert Targets([*names, names[0]], Clock()).names == tuple(names)
    with pytest.raises(InvalidRequest):
        Targets([], Clock())
