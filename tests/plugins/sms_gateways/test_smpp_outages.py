"""OOB-06: SMPP servers that refuse, hang, break and lie."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nightlatch.channel import Message, NotSent
from nightlatch_sms_gateways import smpp_link
from nightlatch_sms_gateways.smpp import SmppChannel
from nightlatch_sms_gateways.smpp_settings import SmppSettings
from testbed import smsc
from testbed.hostile import black_hole, reset, rubbish, serving, silence, trickle
from testbed.ports import free_port
from testbed.smsc import BIND, ENQUIRE, NACK, SUBMIT, UNBIND, raw_smsc, takes_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from nightlatch.channel import Delivery

    MakeChannel = Callable[..., SmppChannel]

TO = "+14155550142"
SHORT, LONG = 0.8, 10.0
"""Seconds of a deadline that is meant to pass."""
MESSAGE = Message("login_code", {"text": "Your code: 837465"})


@pytest.fixture
async def make_channel(secret_file: Callable[[str], Path]) -> AsyncIterator[MakeChannel]:
    """Channels to a port; they are closed after the test."""
    made: list[SmppChannel] = []

    def make(port: int, keep_alive: float = 30) -> SmppChannel:
        table = {
            "url": f"smpp://127.0.0.1:{port}",
            "system_id": "nl",
            "password_file": secret_file("right-pw"),
            "sender": "+14155550100",
            "keep_alive": keep_alive,
        }
        settings = SmppSettings.model_validate(table)
        made.append(SmppChannel(settings, lambda message: message.values["text"]))
        return made[-1]

    yield make
    for channel in made:
        await channel.close()


async def failed(channel: SmppChannel, seconds: float = 5) -> str:
    """Why a message was not sent; it is never permanent here, and never late."""
    begun = asyncio.get_running_loop().time()
    with pytest.raises(NotSent) as caught:
        await channel.send(TO, MESSAGE, seconds)
    assert asyncio.get_running_loop().time() - begun < seconds + 5
    assert not caught.value.permanent
    return caught.value.reason


def check_password(raw: smsc.Raw) -> bytes:
    """Take the bind of nl with its password, and nobody else's."""
    if raw.command == BIND and raw.strings[:2] != [b"nl", b"right-pw"]:
        return raw.answer(0x0E)
    return takes_all(raw)


async def test_the_password_is_sent_as_the_file_has_it(make_channel: MakeChannel) -> None:
    """A server that looks at the password takes the right one, and the bind is of SMPP 3.4."""
    async with raw_smsc(check_password) as server:
        assert (await make_channel(server.port).send(TO, MESSAGE, 5)).provider_id == "id-2"
        assert server.seen[0].body == b"nl\0right-pw\0\0\x34\0\0\0"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (0x0E, "refuses the bind: Invalid Password (SMPP 0x0e); look at system_id and password_file"),
        (0x0D, "refuses the bind: Bind Failed (SMPP 0x0d); look at system_id and password_file"),
        (0x05, "(SMPP 0x05); look at other programs that bind with this system_id"),
        (0x53, "(SMPP 0x53); look at system_type"),
        (0x0999, "an error of the provider's own (SMPP 0x999)"),
    ],
)
async def test_a_refused_bind(make_channel: MakeChannel, status: int, said: str) -> None:
    """The reason is SMPP's, with the settings to look at."""
    async with raw_smsc(lambda raw: raw.answer(status)) as server:
        assert said in await failed(make_channel(server.port))


async def test_binds_do_not_storm(make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many messages come, a server that refuses is asked no more often than the pauses say."""
    monkeypatch.setattr(smpp_link, "PAUSES", (0.0, 60.0))
    async with raw_smsc(lambda raw: raw.answer(0x0D)) as server:
        channel = make_channel(server.port)
        for _ in range(5):
            await asyncio.gather(*(failed(channel) for _ in range(50)))
        await server.wait_for(BIND, 2)
        assert "refuses the bind" in await failed(channel)
        assert server.connections == 2


@pytest.mark.parametrize("where", ["nobody", "black hole", "deaf", "rubbish", "reset", "trickle"])
async def test_no_server(make_channel: MakeChannel, where: str) -> None:
    """Whatever is there instead of a server, the message fails in time, with a reason."""
    seconds = SHORT if where in {"black hole", "deaf"} else LONG
    behaviours = {"deaf": silence, "rubbish": rubbish, "reset": reset, "trickle": trickle}
    with black_hole() as hole:
        async with serving(behaviours.get(where, silence)) as (port, _):
            reason = await failed(
                make_channel({"nobody": free_port(), "black hole": hole}.get(where, port)), seconds
            )
    expected = {
        "nobody": "can not be reached: Connection refused",
        "rubbish": "did not answer the bind: the server sent a PDU of",
        "trickle": "did not answer the bind: the server sent a PDU of",
        "reset": "did not answer the bind: the server hung up",
    }
    assert expected.get(where, f"did not answer within {SHORT} s") in reason


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (b"", f"did not answer within {SHORT} s"),
        (None, "did not answer: the server hung up"),
        (b"\xff" * 16, "did not answer: the server sent a PDU of"),
        (smsc.pdu(SUBMIT | smsc.RESPONSE, 0, 2, b"never ending" * 9), "id"),
        (smsc.pdu(0x05, 0, 9, b"\0\1") + smsc.pdu(SUBMIT | smsc.RESPONSE, 0, 2), "id"),
        (smsc.pdu(0x05, 0, 9, b"\0" * 17 + b"\4") + smsc.pdu(SUBMIT | smsc.RESPONSE, 0, 2), "id"),
        (smsc.pdu(NACK, 3, 2), "refuses the message: Invalid Command ID"),
        (smsc.pdu(NACK, 0, 2), "refuses the message: No Error"),
        (smsc.pdu(ENQUIRE | smsc.RESPONSE, 0, 2), "refuses the message: No Error"),
        (smsc.pdu(SUBMIT | smsc.RESPONSE, 0, 77, b"x\0"), f"did not answer within {SHORT} s"),
        (smsc.pdu(SUBMIT | smsc.RESPONSE, 0x14, 2), "asked too often: Message Queue is full"),
        (smsc.pdu(UNBIND, 0, 1), "did not answer: the server ended the session"),
    ],
)
async def test_an_odd_answer(make_channel: MakeChannel, reply: bytes | None, said: str) -> None:
    """Only a submit_sm_resp with status 0 and the request's number is an answer that takes the message."""

    def answer(raw: smsc.Raw) -> bytes | None:
        return reply if raw.command == SUBMIT else takes_all(raw)

    async with raw_smsc(answer) as server:
        channel = make_channel(server.port)
        if said == "id":
            assert len((await channel.send(TO, MESSAGE, 5)).provider_id) <= 64
        else:
            assert said in await failed(channel, SHORT if "within" in said else LONG)


async def test_a_silent_server_is_left(make_channel: MakeChannel) -> None:
    """Asked whether it is there, a server that does not answer is left, and one that does is kept."""
    async with raw_smsc(lambda raw: takes_all(raw) if raw.command != ENQUIRE else b"") as server:
        channel = make_channel(server.port, keep_alive=0.1)
        await channel.send(TO, MESSAGE, 5)
        await server.wait_for(BIND, 2)
    async with raw_smsc(takes_all) as server:
        channel = make_channel(server.port, keep_alive=0.1)
        await channel.send(TO, MESSAGE, 5)
        await server.wait_for(ENQUIRE, 3)
        assert server.connections == 1


async def test_a_late_answer_goes_nowhere(make_channel: MakeChannel) -> None:
    """The answer to a message that was given up is not taken for that of the next one."""
    kept: list[smsc.Raw] = []

    def answer(raw: smsc.Raw) -> bytes:
        if raw.command != SUBMIT:
            return takes_all(raw)
        kept.append(raw)
        return b"" if len(kept) == 1 else b"".join(one.answer(body=b"id-%d\0" % one.number) for one in kept)

    async with raw_smsc(answer) as server:
        channel = make_channel(server.port)
        await failed(channel, SHORT)
        assert (await channel.send(TO, MESSAGE, 5)).provider_id == f"id-{kept[1].number}"


async def test_the_window_is_given_back(make_channel: MakeChannel) -> None:
    """A server that hangs gets no more than the window, and cancelled messages leave their places free."""
    hang = True

    def answer(raw: smsc.Raw) -> bytes:
        return b"" if hang and raw.command == SUBMIT else takes_all(raw)

    async with raw_smsc(answer) as server:
        channel = make_channel(server.port)
        waiting = [asyncio.create_task(channel.send(TO, MESSAGE, 60)) for _ in range(1000)]
        await server.wait_for(SUBMIT, 10)
        assert sum(raw.command == SUBMIT for raw in server.seen) == 10
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        hang = False
        await asyncio.gather(*(channel.send(TO, MESSAGE, 5) for _ in range(50)))


async def test_who_takes_receipts_may_fail(make_channel: MakeChannel) -> None:
    """A receipt is acknowledged, and an error of who records it does not end the session."""
    receipt = smsc.receipt(b"id:id-2 stat:DELIVRD")
    taken: list[Delivery] = []

    def fail(one: Delivery) -> None:
        taken.append(one)
        raise RuntimeError("disk full")

    async with raw_smsc(lambda raw: takes_all(raw) + receipt * (raw.command == SUBMIT)) as server:
        channel = make_channel(server.port)
        channel.report_to(fail)
        for _ in range(3):
            await channel.send(TO, MESSAGE, 5)
        await server.wait_for(0x05 | smsc.RESPONSE, 3)
        assert server.connections == 1
    assert [one.provider_id for one in taken] == ["id-2"] * 3


async def test_closing_says_goodbye(make_channel: MakeChannel) -> None:
    """The session is ended by unbind, and nothing is bound anew."""
    async with raw_smsc(takes_all) as server:
        channel = make_channel(server.port)
        await channel.send(TO, MESSAGE, 5)
        await channel.close()
        assert server.seen[-1].command == UNBIND
        assert server.connections == 1


async def test_closing_a_hung_session_is_bounded(make_channel: MakeChannel) -> None:
    """A server that does not answer the unbind is left after a second."""
    async with raw_smsc(lambda raw: takes_all(raw) if raw.command != UNBIND else b"") as server:
        channel = make_channel(server.port)
        await channel.send(TO, MESSAGE, 5)
        await asyncio.wait_for(channel.close(), LONG)
        assert server.seen[-1].command == UNBIND
