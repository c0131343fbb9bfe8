"""OOB-04: what may be sent, charged in a real store, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import structlog
from structlog.testing import capture_logs

from nightlatch.channel import ChannelPlugin, Medium, Message, NotSent, Receipt
from nightlatch.factor import Reach, Settings
from nightlatch.model import AuditEvent, Result
from nightlatch.plugins.channel_facade import ChannelFacade
from nightlatch.sending import Budget, Sender, SendingLimits, TooManyMessages
from testbed.fixtures_store import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.store import SqlStore
    from testbed.fixtures_store import SetClock

    OpenStores = Callable[[str], SqlStore]

CODE = Message("login_code", {"code": "837465"})
NUMBER = "+14155550142"
AUDIT = "select event, result, reason, account_id from audit where event = 'message.send'"


@dataclass
class Post:
    """A channel that takes everything."""

    taken: list[str] = field(default_factory=list)

    async def send(self, address: str, message: Message, deadline: float) -> Receipt:
        self.taken.append(address)
        return Receipt(f"p{len(self.taken)}")

    async def close(self) -> None: ...


@dataclass
class Desk:
    """A sender over a real store."""

    store: SqlStore
    clock: SetClock
    ceilings: SendingLimits = field(default_factory=SendingLimits)
    post: Post = field(default_factory=Post)

    async def send(self, person: str = "alice", to: str = NUMBER, budget: Budget = Budget.LOGIN) -> None:
        """Send one code."""
        kind = ChannelPlugin("post", Medium.PHONE, Settings, lambda _: self.post)
        channels = {"post": ChannelFacade("post", kind, self.post, self.clock.steady)}
        log = structlog.get_logger()
        sender = Sender(channels, self.store, self.clock, b"k" * 32, log, ceilings=self.ceilings)
        event = AuditEvent("message.send", Result.PASSED, "", "7f3a-22c1", f"corp:{person}", person)
        await sender.send(event, Reach(("post",), to), CODE, 5, budget)

    async def many(self, count: int, budget: Budget = Budget.LOGIN) -> int:
        """Try to send so many, each to a person and a number of its own; how many left."""
        before = len(self.post.taken)
        for one in range(count):
            try:
                await self.send(f"p{before}-{one}", f"{NUMBER[:-4]}{one:04}", budget)
            except NotSent:
                continue
        return len(self.post.taken) - before


@pytest.fixture
def desk(store: SqlStore, store_clock: SetClock) -> Desk:
    """A sender with the limits that hold when nothing is configured."""
    return Desk(store, store_clock)


def limited(desk: Desk, **ceilings: object) -> Desk:
    """The same with other limits."""
    return Desk(desk.store, desk.clock, SendingLimits(**ceilings), desk.post)  # type: ignore[arg-type]  # a row of a table


async def test_an_account_gets_three_six_and_twenty(desk: Desk) -> None:
    """3 in 10 minutes, 6 an hour, 20 a day, whatever the address; what is refused says when to try again."""
    sent, waits = [], []
    for minute in range(0, 24 * 60, 5):
        try:
            await desk.send(to=f"+1415555{minute:04}")
            sent.append(minute)
        except TooManyMessages as refused:
            waits.append(refused.retry_after)
        desk.clock.time += 300
    assert sent[:6] == [0, 5, 10, 15, 20, 25]
    assert len(sent) == 20
    assert min(waits) > 0
    assert max(waits) <= 86_400
    assert all(len([one for one in sent if start <= one < start + 60]) <= 6 for start in sent)


async def test_an_address_gets_five_an_hour_from_all_accounts(desk: Desk) -> None:
    """Many accounts, one number: five messages, and the sixth after an hour."""
    for person in range(5):
        await desk.send(f"p{person}")
    with pytest.raises(TooManyMessages, match="5 messages in 60 minutes to this address"):
        await desk.send("another")
    desk.clock.time += 3600
    await desk.send("another")


async def test_changing_credentials_leaves_the_messages_of_a_login(desk: Desk) -> None:
    """An account's enrolments count by themselves; the address's limit is shared."""
    for place in range(3):
        await desk.send(to=f"+1415555010{place}", budget=Budget.CHANGES)
    with pytest.raises(TooManyMessages):
        await desk.send(to="+14155550109", budget=Budget.CHANGES)
    for _ in range(3):
        await desk.send()
    with pytest.raises(TooManyMessages):
        await desk.send()
    for person in ("bob", "carol"):
        await desk.send(person, budget=Budget.CHANGES)
    with pytest.raises(TooManyMessages, match="to this address"):
        await desk.send("dan")


async def test_numbers_that_begin_alike_share_a_limit(desk: Desk) -> None:
    """Many accounts, one range of numbers: the limit of the prefix, and nobody else is kept from sending."""
    desk = limited(desk, per_prefix=7)
    assert await desk.many(20) == 7
    await desk.send(to="+447700900123")
    desk.clock.time += 3601
    assert await desk.many(20) == 7


async def test_the_longest_prefix_wins_and_nought_is_never(desk: Desk) -> None:
    """A limit for a country, another for an area in it, none at all for numbers that cost."""
    desk = limited(desk, per_prefix=1, prefixes={"+1": 3, "+141555": 5, "+1900": 0, "+882": 0})
    assert await desk.many(20) == 5
    for place in range(3):
        await desk.send(f"a{place}", f"+1212555010{place}")
    with pytest.raises(NotSent, match=r"3 messages in 60 minutes to numbers that begin with \+1$"):
        await desk.send("b", "+13125550100")
    for number in ("+19005550100", "+8825550100"):
        with pytest.raises(NotSent, match="no message is sent to numbers that begin with") as refused:
            await desk.send("c", number)
        assert refused.value.permanent
    assert len(desk.post.taken) == 8


async def test_mailboxes_of_a_domain_share_a_limit(desk: Desk) -> None:
    """The domain in any spelling; one has its own limit, and one gets nothing."""
    desk = limited(desk, per_prefix=2, domains={"big.example": 4, "never.example": 0})
    left = dict.fromkeys(("small.example", "Big.Example", "never.example"), 0)
    for domain in left:
        for place in range(6):
            try:
                await desk.send(f"{domain}{place}", f"u{place}@{domain if place % 2 else domain.lower()}")
            except NotSent:
                continue
            left[domain] += 1
    assert left == {"small.example": 2, "Big.Example": 4, "never.example": 0}


@pytest.mark.parametrize("most", [10, 450])
async def test_the_whole_installation_has_a_limit(desk: Desk, most: int) -> None:
    """So many an hour and no more, also where a time stands for several messages; then it goes on."""
    desk = limited(desk, per_prefix=10_000, in_all=most)
    assert await desk.many(most + 20, Budget.LOGIN) == most
    with pytest.raises(NotSent, match=f"{most} messages in 60 minutes in all") as refused:
        await desk.send("somebody", "+447700900123")
    assert not isinstance(refused.value, TooManyMessages)
    desk.clock.time += 3601
    assert await desk.many(most // 2) == most // 2


async def test_parallel_sends_of_two_daemons_share_the_limits(
    desk: Desk, store_url: str, open_stores: OpenStores
) -> None:
    """Two hundred requests for one victim at once, over two daemons on one store: three leave."""
    other = Desk(open_stores(store_url), desk.clock)
    tries = [one.send() for one in (desk, other) for _ in range(100)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert results.count(None) == 3
    assert {type(result) for result in results if result is not None} == {TooManyMessages}


async def test_what_is_refused_is_in_the_audit_and_the_log_without_the_address(
    desk: Desk, store_url: str
) -> None:
    """Each refusal has its row and its line: whose, and by which limit."""
    desk = limited(desk, prefixes={"+882": 0}, per_prefix=1)
    with capture_logs() as logged:
        await desk.send()
        for person, number in (("bob", "+14155550143"), ("eve", "+8825550142")):
            with pytest.raises(NotSent):
                await desk.send(person, number)
    rows = run(store_url, AUDIT)
    assert [row[1:] for row in rows] == [
        ("passed", "sent by post, id p1", "corp:alice"),
        ("locked", "not sent: 1 message in 60 minutes to numbers that begin with +14155", "corp:bob"),
        ("locked", "not sent: no message is sent to numbers that begin with +882", "corp:eve"),
    ]
    assert [line["account"] for line in logged if line["event"] == "message.limited"] == [
        "corp:bob",
        "corp:eve",
    ]
    assert all(number not in str(rows) + str(logged) for number in ("5550142", "5550143"))
