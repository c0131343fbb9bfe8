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
from nightlatch.login.receipt import Receipts
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
    return Receipts(seed * 32, "https://mfa.example.com", SystemClock(), SystemRandomness())


@dataclass
class Daemon(keys_pb2_grpc.KeyServiceServicer):
    """Gives keys, and counts how often it was asked."""

    target: str
    signer: Receipts = field(default_factory=lambda: signer(b"a"))
    asked: int = 0
    refuses: bool = False
    passed: float = 0.0
    """Seconds on the client's clock."""

    def GetKeys(  # noqa: N802, gRPC's name
        self, request: keys_pb2.GetKeysRequest, context: Aborts
    ) -> keys_pb2.GetKeysResponse:
        """Answer with the keys as they are now."""
        assert isinstance(request, keys_pb2.GetKeysRequest)
        self.asked += 1
        if self.refuses:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "later")
        return keys_pb2.GetKeysResponse(jwks=self.signer.key_set(), issuer=self.signer.issuer)


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
