"""Receipts by unknown keys: whoever forges them makes no application ask its daemon without end."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.app.system import SystemClock, SystemRandomness
from nightlatch.client import AsyncClient, Client, ClientError, InvalidReceipt, Unavailable, receipts
from nightlatch.keys import MasterKey
from nightlatch.login.receipt import Receipts
from nightlatch.login.receipt_keys import Generation, ReceiptKeys
from nightlatch.v1 import keys_pb2, keys_pb2_grpc
from testbed.core import ALICE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nightlatch.client.results import Receipt
    from testbed.fake_daemon import Aborts

    Check = Callable[[str], Receipt]


def signer(seed: bytes) -> Receipts:
    """What signs by a key of its own."""
    return Receipts(
        ReceiptKeys(MasterKey(seed * 32)), "https://mfa.example.com", SystemClock(), SystemRandomness()
    )


@dataclass
class Daemon(keys_pb2_grpc.KeyServiceServicer):
    """Gives keys, and counts how often it was asked."""

    target: str
    signer: Receipts = field(default_factory=lambda: signer(b"a"))
    asked: int = 0
    refuses: bool = False
    passed: float = 0.0
    """Seconds on the client's clock."""
    max_age: int = 0
    """What it says; 0 for nothing, as older ones do."""

    def GetKeys(  # noqa: N802, gRPC's name
        self, request: keys_pb2.GetKeysRequest, context: Aborts
    ) -> keys_pb2.GetKeysResponse:
        """Answer with the keys as they are now."""
        assert isinstance(request, keys_pb2.GetKeysRequest)
        self.asked += 1
        if self.refuses:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "later")
        return keys_pb2.GetKeysResponse(
            jwks=self.signer.key_set(), issuer=self.signer.issuer, max_age_seconds=self.max_age
        )


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """One on a socket, and a clock for its client."""
    made = Daemon(f"unix:{tmp_path}/s")
    monkeypatch.setattr(receipts, "monotonic", lambda: 1000.0 + made.passed)
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        keys_pb2_grpc.add_KeyServiceServicer_to_server(made, server)
        server.add_insecure_port(made.target)
        server.start()
        yield made
        server.stop(None).wait()


@pytest.fixture(params=["blocking", "async"])
def check(request: pytest.FixtureRequest, daemon: Daemon) -> Iterator[Check]:
    """The method of either client."""
    if request.param == "blocking":
        with Client(daemon.target) as client:
            yield lambda receipt: client.check_receipt(receipt, "shop")
        return
    with asyncio.Runner() as runner:

        async def opened() -> AsyncClient:
            return AsyncClient(daemon.target)

        mfa = runner.run(opened())
        yield lambda receipt: runner.run(mfa.check_receipt(receipt, "shop"))
        runner.run(mfa.close())


def issued(by: Receipts) -> str:
    """A receipt for the shop."""
    return by.issue(ALICE, "shop", "shop", "totp")


def test_forged_receipts_fetch_keys_once_in_30_seconds(daemon: Daemon, check: Check) -> None:
    """However many unknown keys they name; one that is known needs no daemon meanwhile."""
    assert check(issued(daemon.signer)).user == "alice"
    for number in range(5):
        with pytest.raises(InvalidReceipt):
            check(issued(signer(bytes([number]))))
    assert check(issued(daemon.signer)).user == "alice"
    assert daemon.asked == 2
    daemon.passed = receipts.PAUSE
    with pytest.raises(InvalidReceipt):
        check(issued(signer(b"f")))
    assert daemon.asked == 3


def test_a_new_key_is_fetched(daemon: Daemon, check: Check) -> None:
    """Another master key brings another: the first receipt by it is right."""
    check(issued(daemon.signer))
    daemon.signer = signer(b"b")
    assert check(issued(daemon.signer)).user == "alice"


def test_keys_that_could_not_be_fetched_refuse_nobody(daemon: Daemon, check: Check) -> None:
    """Nobody knows whether the receipt is right: an outage until they are asked for again."""
    check(issued(daemon.signer))
    daemon.signer, daemon.refuses = signer(b"b"), True
    with pytest.raises(ClientError):
        check(issued(daemon.signer))
    with pytest.raises(Unavailable, match="again") as raised:
        check(issued(daemon.signer))
    assert (daemon.asked, raised.value.retry_after) == (2, receipts.PAUSE)
    daemon.refuses, daemon.passed = False, receipts.PAUSE
    assert check(issued(daemon.signer)).user == "alice"


@pytest.mark.parametrize("max_age", [0, 60])
def test_a_withdrawn_key_is_dropped_when_the_keys_are_old(daemon: Daemon, check: Check, max_age: int) -> None:
    """A daemon that says nothing means 900 seconds; what it does not publish any more counts no longer."""
    daemon.max_age, lasts = max_age, max_age or receipts.MAX_AGE
    stolen = issued(daemon.signer)
    check(stolen)
    daemon.signer = signer(b"b")
    daemon.passed = lasts / 2 - 1
    check(stolen)
    daemon.passed = lasts / 2
    with pytest.raises(InvalidReceipt):
        check(stolen)


def test_keys_are_asked_for_ahead_and_an_outage_is_not_noticed_until_they_are_old(
    daemon: Daemon, check: Check
) -> None:
    """From half of their time on, once in 30 seconds; then a receipt that nobody can check is an outage."""
    right = issued(daemon.signer)
    check(right)
    daemon.refuses, daemon.passed = True, receipts.MAX_AGE / 2
    for _ in range(3):
        assert check(right).user == "alice"
    assert daemon.asked == 2
    daemon.passed = receipts.MAX_AGE - 1
    assert check(right).user == "alice"
    assert daemon.asked == 3
    daemon.passed = receipts.MAX_AGE
    with pytest.raises(ClientError) as outage:
        check(right)
    assert not isinstance(outage.value, InvalidReceipt)
    daemon.refuses = False
    assert check(right).user == "alice"


def test_the_next_key_needs_no_daemon(daemon: Daemon, check: Check) -> None:
    """It was published before it signed: a client that knows the set of before takes its receipts."""
    check(issued(daemon.signer))
    daemon.refuses = True
    generation = Generation(1, SystemClock().now())
    later = ReceiptKeys(MasterKey(b"a" * 32), generation=generation)
    by_next = Receipts(later, "https://mfa.example.com", SystemClock(), SystemRandomness())
    assert check(issued(by_next)).user == "alice"
    assert daemon.asked == 1
