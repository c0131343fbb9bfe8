"""Reports of deliveries: whose they are, and how many of them are written down."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import structlog
from structlog.testing import capture_logs

from nightlatch.channel import ChannelPlugin, Delivery, DeliveryState, Medium, Receipt
from nightlatch.deliveries import REMEMBERED, UNKNOWN_A_MINUTE, Deliveries
from nightlatch.factor import Settings
from nightlatch.model import AuditEvent, Result
from nightlatch.plugins.channel_facade import ChannelFacade
from testbed.core import FakeClock, MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.channel import Message

SENT = AuditEvent("message.send", Result.PASSED, "", "7f3a-22c1", "corp:alice", "alice", "sshd")


class StillClock(FakeClock):
    """Time that stands, also while somebody sleeps."""

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


class Desk:
    """Deliveries over fakes."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.store = MemoryStore(self.clock)
        self.deliveries = Deliveries(self.store, self.clock, structlog.get_logger())

    async def report(self, *reports: Delivery, channel: str = "carrier") -> list[AuditEvent]:
        """The rows that reports have left."""
        before = len(self.store.events)
        for one in reports:
            self.deliveries.take(channel, one)
        while self.deliveries._under_way:
            await asyncio.wait(self.deliveries._under_way)
        return self.store.events[before:]


@pytest.fixture
def desk() -> Desk:
    """Nothing sent yet."""
    return Desk()


@pytest.mark.parametrize(
    ("state", "error", "result", "reason"),
    [
        (DeliveryState.DELIVERED, "", Result.PASSED, "delivered by carrier, id a1"),
        (DeliveryState.UNDELIVERED, "011", Result.UNAVAILABLE, "undelivered by carrier, id a1, error 011"),
        (DeliveryState.EXPIRED, "", Result.UNAVAILABLE, "expired by carrier, id a1"),
    ],
)
async def test_a_report_goes_on_with_the_row_of_its_message(
    desk: Desk, state: DeliveryState, error: str, result: Result, reason: str
) -> None:
    """Account, login and channel are named in the audit; the log has the same."""
    desk.deliveries.expect("carrier", "a1", SENT)
    with capture_logs() as logged:
        (row,) = await desk.report(Delivery("a1", state, error))
    assert row == replace(SENT, event="message.receipt", result=result, reason=reason)
    assert [(line["event"], line["state"], line["account"]) for line in logged] == [
        ("message.receipt", state.value, "corp:alice")
    ]


async def test_each_part_of_a_message_and_each_channel_has_its_own_ids(desk: Desk) -> None:
    """A message in parts has several ids; the same id at another provider is another message."""
    desk.deliveries.expect("carrier", "a1,a2", SENT)
    rows = await desk.report(*(Delivery(one, DeliveryState.DELIVERED) for one in ("a1", "a2", "a3")))
    assert [row.account_id for row in rows] == ["corp:alice", "corp:alice", ""]
    (row,) = await desk.report(Delivery("a1", DeliveryState.DELIVERED), channel="other")
    assert row.account_id == ""


async def test_a_report_may_overtake_the_answer_to_its_message(desk: Desk) -> None:
    """Servers report at once: the id is looked for again a moment later."""
    desk.deliveries.take("carrier", Delivery("a1", DeliveryState.DELIVERED))
    desk.deliveries.expect("carrier", "a1", SENT)
    (row,) = await desk.report()
    assert row.account_id == "corp:alice"


async def test_a_gateway_that_floods_fills_neither_audit_nor_log(desk: Desk) -> None:
    """Ids that nobody knows, and one id again and again: so many a minute, one line for all the others."""
    desk.deliveries.expect("carrier", "a1", SENT)
    with capture_logs() as logged:
        rows = []
        for turn in range(100):
            flood = [Delivery(f"x{turn}-{one}", DeliveryState.DELIVERED) for one in range(100)]
            rows += await desk.report(*flood, *[Delivery("a1", DeliveryState.UNDER_WAY)] * 100)
    assert len([row for row in rows if row.account_id]) <= 3
    assert len(rows) <= UNKNOWN_A_MINUTE + 3
    assert [line["event"] for line in logged].count("message.receipts_dropped") == 1
    desk.clock.time += 61
    assert len(await desk.report(Delivery("later", DeliveryState.DELIVERED))) == 1


async def test_what_is_remembered_is_bounded(desk: Desk) -> None:
    """The oldest message is forgotten first; its report is then one of a message that nobody knows."""
    for number in range(REMEMBERED + 1):
        desk.deliveries.expect("carrier", f"m{number}", SENT)
    rows = await desk.report(*(Delivery(one, DeliveryState.DELIVERED) for one in ("m0", "m1")))
    assert sorted(row.account_id for row in rows) == ["", "corp:alice"]


async def test_an_outage_of_the_store_is_in_the_log(desk: Desk) -> None:
    """A report that can not be written ends nothing."""
    desk.deliveries.expect("carrier", "a1", SENT)
    desk.store.away = True
    with capture_logs() as logged:
        assert await desk.report(Delivery("a1", DeliveryState.DELIVERED)) == []
    assert [line["event"] for line in logged] == ["message.receipt", "audit.unavailable"]


class Reporter:
    """A channel that reports whatever it likes."""

    take: Callable[[Delivery], None]

    async def send(self, address: str, message: Message, deadline: float) -> Receipt:
        return Receipt()

    async def close(self) -> None: ...

    def report_to(self, take: Callable[[Delivery], None]) -> None:
        self.take = take


class Mute:
    """A channel that reports nothing, as most."""

    async def send(self, address: str, message: Message, deadline: float) -> Receipt:
        return Receipt()

    async def close(self) -> None: ...


def test_a_plugins_report_is_bounded_and_one_line_or_none() -> None:
    """What is no report goes nowhere; a long id is cut, and brings no second line into a log."""
    reporter, taken = Reporter(), []
    kind = ChannelPlugin("odd", Medium.PHONE, Settings, lambda _: reporter)
    facade = ChannelFacade("odd", kind, reporter, lambda: 0.0)
    facade.report_to(lambda name, delivery: taken.append((name, delivery)))
    odd: list[object] = [
        None,
        Delivery("", DeliveryState.DELIVERED),
        Delivery(b"x", DeliveryState.DELIVERED),  # type: ignore[arg-type]  # what a plugin may do
        Delivery("x", "delivered"),  # type: ignore[arg-type]  # what a plugin may do
        Delivery("x", DeliveryState.DELIVERED, 7),  # type: ignore[arg-type]  # what a plugin may do
    ]
    for one in odd:
        reporter.take(one)  # type: ignore[arg-type]  # what a plugin may do
    assert taken == []
    reporter.take(Delivery("a\nb" * 1000, DeliveryState.DELIVERED, "e\r\n" * 100))
    ((name, delivery),) = taken
    assert name == "odd"
    assert len(delivery.provider_id) == 128
    assert len(delivery.error) == 32
    assert (delivery.provider_id + delivery.error).isprintable()


def test_a_channel_needs_no_reports() -> None:
    """The method is for those that have something to report."""
    mute = Mute()
    kind = ChannelPlugin("mute", Medium.PHONE, Settings, lambda _: mute)
    taken: list[object] = []
    ChannelFacade("mute", kind, mute, lambda: 0.0).report_to(lambda _name, delivery: taken.append(delivery))
    assert taken == []
