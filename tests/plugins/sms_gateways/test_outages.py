"""OOB-06: HTTP gateways that hang, break and lie; both kinds of channel have the same connections."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

from nightlatch.channel import Message, NotSent
from nightlatch_sms_gateways.https import CONNECTIONS
from nightlatch_sms_gateways.twilio import TwilioChannel
from nightlatch_sms_gateways.twilio_settings import TwilioSettings
from testbed import sms
from testbed.hostile import black_hole, server_context, serving, silence
from testbed.ports import free_port
from testbed.sms import words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from testbed.pki import Pki

    MakeChannel = Callable[[int], TwilioChannel]

TO = "+14155550142"
SHORT, LONG = 0.8, 10.0
"""Seconds of a deadline that is meant to pass."""


@pytest.fixture
async def make_channel(pki: Pki, secret_file: Callable[..., Path]) -> AsyncIterator[MakeChannel]:
    """Channels to a port; they are closed after the test."""
    made: list[TwilioChannel] = []

    def make(port: int) -> TwilioChannel:
        settings = TwilioSettings(
            base_url=f"https://localhost:{port}",
            account_sid=sms.ACCOUNT,
            auth_token_file=secret_file(),
            sender="Acme",
            ca_file=pki.ca,
        )
        made.append(TwilioChannel(settings, words))
        return made[-1]

    yield make
    for channel in made:
        await channel.close()


def failing(kind: str) -> sms.Answerer:
    """A gateway that misbehaves each time."""

    def answer(asked: sms.Asked) -> sms.Reply:
        raise sms.Misbehaviour(kind)

    return answer


def first(kind: str) -> sms.Answerer:
    """A gateway that misbehaves for its first request, and is well afterwards."""
    count = itertools.count()

    def answer(asked: sms.Asked) -> sms.Reply:
        if next(count) == 0:
            raise sms.Misbehaviour(kind)
        return sms.twilio(asked)

    return answer


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("hang", f"did not answer within {SHORT} s"),
        ("drip", f"did not answer within {SHORT} s"),
        ("reset", "the connection to the gateway broke: Connection reset by peer"),
        ("hang up", "hung up"),
        ("rubbish", "hung up, or its answer is no HTTP"),
    ],
)
async def test_a_broken_answer(
    pki: Pki, make_channel: MakeChannel, message: Message, kind: str, said: str
) -> None:
    """It is not sent, said so within the deadline, asked once, and the next send works."""
    async with sms.gateway(first(kind), server_context(pki)) as running:
        channel = make_channel(running.port)
        begun = asyncio.get_running_loop().time()
        with pytest.raises(NotSent) as caught:
            await channel.send(TO, message, SHORT if "within" in said else LONG)
        assert asyncio.get_running_loop().time() - begun < LONG
        assert said in caught.value.reason
        assert not caught.value.permanent
        assert len(running.asked) == 1
        await channel.send(TO, message, 5)
        assert len(running.asked) == 2


@pytest.mark.parametrize("where", ["nobody", "black hole", "handshake"])
async def test_a_gateway_that_is_not_there(make_channel: MakeChannel, message: Message, where: str) -> None:
    """Nobody listens, no SYN is answered, or no handshake comes: said within the deadline."""
    with black_hole() as hole:
        async with serving(silence) as (deaf, _):
            port = {"nobody": free_port(), "black hole": hole, "handshake": deaf}[where]
            with pytest.raises(NotSent) as caught:
                await make_channel(port).send(TO, message, LONG if where == "nobody" else SHORT)
    expected = "Connection refused" if where == "nobody" else "can not be reached: no connection within"
    assert expected in caught.value.reason


async def test_a_hung_gateway_holds_up_nobody_else(
    pki: Pki, make_channel: MakeChannel, message: Message
) -> None:
    """With a thousand sends waiting on one gateway, another gateway takes its message at once."""
    well, context = sms.gateway(sms.twilio, server_context(pki)), server_context(pki)
    async with sms.gateway(failing("hang"), context) as hung, well as running:
        channel = make_channel(hung.port)
        waiting = [asyncio.create_task(channel.send(TO, message, 60)) for _ in range(1000)]
        await asyncio.wait_for(hung.wait_for(CONNECTIONS), 10)
        begun = asyncio.get_running_loop().time()
        await make_channel(running.port).send(TO, message, 20)
        assert asyncio.get_running_loop().time() - begun < 10
        assert len(hung.asked) == CONNECTIONS
        for task in waiting:
            task.cancel()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in results)


async def test_a_cancelled_send_leaves_nothing_behind(
    pki: Pki, make_channel: MakeChannel, message: Message
) -> None:
    """After many cancelled sends, the channel still has all its connections to give."""
    hang = True

    def answer(asked: sms.Asked) -> sms.Reply:
        if hang:
            raise sms.Misbehaviour("hang")
        return sms.twilio(asked)

    async with sms.gateway(answer, server_context(pki)) as running:
        channel = make_channel(running.port)
        for _ in range(3):
            waiting = [asyncio.create_task(channel.send(TO, message, 60)) for _ in range(CONNECTIONS + 5)]
            await asyncio.wait_for(running.wait_for(len(running.asked) + CONNECTIONS), 10)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        hang = False
        receipts = await asyncio.gather(*(channel.send(TO, message, LONG) for _ in range(CONNECTIONS)))
        assert all(receipt.provider_id for receipt in receipts)


async def test_connections_are_kept(pki: Pki, make_channel: MakeChannel, message: Message) -> None:
    """One after the other, messages share one connection: no handshake for each."""
    async with sms.gateway(sms.twilio, server_context(pki)) as running:
        channel = make_channel(running.port)
        for _ in range(5):
            await channel.send(TO, message, 5)
        assert (len(running.asked), running.connections) == (5, 1)


async def test_a_connection_that_the_gateway_gave_up_is_not_used(
    pki: Pki, make_channel: MakeChannel, message: Message
) -> None:
    """A kept connection that was closed meanwhile costs no message, and no message is sent twice."""
    async with sms.gateway(sms.twilio, server_context(pki), keep=False) as running:
        channel = make_channel(running.port)
        for count in range(1, 4):
            await channel.send(TO, message, 5)
            await asyncio.wait_for(running.wait_for_closed(count), 5)
        assert len(running.asked) == 3


async def test_close_lets_go(pki: Pki, make_channel: MakeChannel, message: Message) -> None:
    """A closed channel has no open connection."""
    async with sms.gateway(sms.twilio, server_context(pki)) as running:
        channel = make_channel(running.port)
        await channel.send(TO, message, 5)
        await channel.close()
        await asyncio.wait_for(running.wait_for_closed(1), LONG)
        assert (running.connections, running.closed) == (1, 1)


async def test_name_servers_that_hang_are_asked_once(
    pki: Pki, make_channel: MakeChannel, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All messages wait for one look-up, so that the daemon's other look-ups find a free thread."""
    asked: list[object] = []

    async def hang(*where: object, **how: object) -> None:
        asked.append(where)
        await asyncio.sleep(60)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", hang)
    channel = make_channel(443)
    results = await asyncio.gather(
        *(channel.send(TO, message, SHORT) for _ in range(50)), return_exceptions=True
    )
    assert {str(one) for one in results} == {f"the gateway did not answer within {SHORT} s"}
    assert len(asked) == 1
