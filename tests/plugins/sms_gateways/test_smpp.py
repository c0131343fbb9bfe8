"""A channel of kind "smpp", against a real SMPP server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Protocol

import pytest
from pydantic import ValidationError

from nightlatch.channel import Delivery, DeliveryState, Message, NotSent
from nightlatch_sms_gateways.smpp import SmppChannel
from nightlatch_sms_gateways.smpp_settings import SmppSettings
from testbed import smsc
from testbed.hostile import server_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from testbed.pki import Pki

TO = "+14155550142"
PASSWORD = "cnry-p7X"
CODE = "837465"


class MakeChannel(Protocol):
    """Makes a channel to a server on a port; `changed` are settings other than the usual."""

    def __call__(self, port: int, **changed: object) -> SmppChannel: ...


@pytest.fixture
def receipts() -> asyncio.Queue[Delivery]:
    """The receipts that came."""
    return asyncio.Queue()


@pytest.fixture
async def make_channel(
    secret_file: Callable[[str], Path], receipts: asyncio.Queue[Delivery]
) -> AsyncIterator[MakeChannel]:
    """Channels whose text is the value "text"; they are closed after the test."""
    made: list[SmppChannel] = []

    def make(port: int, **changed: object) -> SmppChannel:
        table = {
            "url": f"smpp://127.0.0.1:{port}",
            "system_id": "nl",
            "password_file": secret_file(PASSWORD),
            "sender": "nightlatch",
        }
        settings = SmppSettings.model_validate(table | changed)
        made.append(SmppChannel(settings, lambda message: message.values["text"]))
        made[-1].report_to(receipts.put_nowait)
        return made[-1]

    yield make
    for channel in made:
        await channel.close()


@pytest.fixture
async def server() -> AsyncIterator[smsc.Smsc]:
    """A running server."""
    async with smsc.smsc() as running:
        yield running


def saying(text: str) -> Message:
    """A message with a text."""
    return Message("login_code", {"text": text, "code": CODE})


async def test_a_message_and_its_receipt(
    server: smsc.Smsc, make_channel: MakeChannel, receipts: asyncio.Queue[Delivery]
) -> None:
    """The text arrives, the receipt of the send has the server's id, and so has the delivery receipt."""
    receipt = await make_channel(server.port).send(TO, saying("Your code: 837465"), 5)
    (submitted,) = server.submitted
    assert (submitted.destination_addr, submitted.dest_addr_ton, submitted.dest_addr_npi) == (TO[1:], 1, 1)
    assert (submitted.source_addr, submitted.source_addr_ton) == ("nightlatch", 5)
    assert (submitted.short_message, submitted.data_coding) == (b"Your code: 837465", 0)
    delivered = await asyncio.wait_for(receipts.get(), 5)
    assert delivered == Delivery(receipt.provider_id, DeliveryState.DELIVERED)


async def test_a_receipt_for_what_was_not_delivered(
    server: smsc.Smsc, make_channel: MakeChannel, receipts: asyncio.Queue[Delivery]
) -> None:
    """UNDELIV is told with the network's error."""
    await make_channel(server.port).send(smsc.UNDELIVERED, saying("x"), 5)
    receipt = await asyncio.wait_for(receipts.get(), 5)
    assert (receipt.state, receipt.error) == (DeliveryState.UNDELIVERED, "011")


@pytest.mark.parametrize(
    ("to", "permanent", "said"),
    [
        (smsc.NO_NUMBER, True, "refuses the number: Invalid Destination Address (SMPP 0x0b)"),
        (smsc.THROTTLED, False, "asked too often: Throttling error"),
    ],
)
async def test_a_refusal(
    server: smsc.Smsc, make_channel: MakeChannel, to: str, permanent: object, said: str
) -> None:
    """A bad number is permanent, throttling is not; both are told in SMPP's words, and tried once."""
    channel = make_channel(server.port)
    with pytest.raises(NotSent) as caught:
        await channel.send(to, saying("x"), 5)
    assert said in caught.value.reason
    assert caught.value.permanent is permanent
    assert len(server.submitted) == 1
    await channel.send(TO, saying("x"), 5)


async def test_a_text_that_gsm_lacks(server: smsc.Smsc, make_channel: MakeChannel) -> None:
    """Chinese is sent in UCS-2."""
    await make_channel(server.port).send(TO, saying("验证码 837465"), 5)
    assert server.submitted[0].data_coding == 8
    assert server.submitted[0].short_message.decode("utf-16-be") == "验证码 837465"


async def test_a_long_message(
    server: smsc.Smsc, make_channel: MakeChannel, receipts: asyncio.Queue[Delivery]
) -> None:
    """A long text is sent in parts, each with its header, its id, and a receipt."""
    text = "".join(f"{number:04}€" for number in range(100))
    receipt = await make_channel(server.port).send(TO, saying(text), 5)
    parts = sorted((one.short_message for one in server.submitted), key=lambda part: part[5])
    assert [part[:3] + part[4:6] for part in parts] == [bytes((5, 0, 3, 4, n)) for n in (1, 2, 3, 4)]
    assert len({part[3] for part in parts}) == 1
    assert b"".join(part[6:] for part in parts).replace(b"\x1b\x65", "€".encode()).decode() == text
    assert all(one.esm_class == 0x40 for one in server.submitted)
    got = {(await asyncio.wait_for(receipts.get(), 5)).provider_id for _ in range(4)}
    assert got == set(receipt.provider_id.split(","))


async def test_a_text_that_never_ends_is_refused(server: smsc.Smsc, make_channel: MakeChannel) -> None:
    """More than ten parts are not sent: one message must not cost as much as eleven."""
    with pytest.raises(NotSent, match="more than 10") as caught:
        await make_channel(server.port).send(TO, saying("x" * 1600), 5)
    assert caught.value.permanent


async def test_parallel_sends_share_one_session(server: smsc.Smsc, make_channel: MakeChannel) -> None:
    """Two hundred at once: each its own answer, one bind."""
    channel = make_channel(server.port)
    sends = [channel.send(f"+1415555{number:04}", saying(str(number)), 20) for number in range(200)]
    receipts = await asyncio.gather(*sends)
    assert len({receipt.provider_id for receipt in receipts}) == 200
    assert {(one.destination_addr[-4:], int(one.short_message)) for one in server.submitted} == {
        (f"{number:04}", number) for number in range(200)
    }
    assert len(server.bound) == 1


async def test_a_server_that_restarts(make_channel: MakeChannel) -> None:
    """The session is made anew by itself, and the next message passes."""
    async with smsc.smsc() as first:
        channel = make_channel(first.port)
        await channel.send(TO, saying("one"), 5)
        for _ in range(50):  # until the client has noticed; a word of the server may meet one of ours
            if len(first.bound) == 1:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(first.bound[0].unbind(), 1)
            with contextlib.suppress(NotSent):
                await channel.send(TO, saying("two"), 1)
                if len(first.bound) > 1:
                    break
            await asyncio.sleep(0.01)
        assert len(first.bound) == 2


async def test_over_tls(pki: Pki, server: smsc.Smsc, make_channel: MakeChannel) -> None:
    """smpps:// is SMPP inside of TLS."""
    async with smsc.in_tls(server.port, server_context(pki)) as port:
        channel = make_channel(port, url=f"smpps://localhost:{port}", ca_file=pki.ca)
        await channel.send(TO, saying("x"), 5)
        await channel.close()
    assert len(server.submitted) == 1


@pytest.mark.parametrize("pair", ["expired", "wrong_host", "untrusted"])
async def test_a_wrong_certificate(pki: Pki, server: smsc.Smsc, make_channel: MakeChannel, pair: str) -> None:
    """No password is sent to a server whose certificate is not right."""
    context, chosen = server_context(pki), getattr(pki, pair)
    context.load_cert_chain(chosen.certificate, chosen.key)
    async with smsc.in_tls(server.port, context) as port:
        channel = make_channel(port, url=f"smpps://localhost:{port}", ca_file=pki.ca)
        with pytest.raises(NotSent, match="the certificate is not to be trusted"):
            await channel.send(TO, saying("x"), 5)
        await channel.close()
    assert server.bound == []


async def test_no_canary_in_any_log(
    server: smsc.Smsc, make_channel: MakeChannel, caplog: pytest.LogCaptureFixture
) -> None:
    """LEK-01: with every library at its loudest, no code, password or number is in a log or a repr."""
    caplog.set_level(logging.DEBUG)
    channel = make_channel(server.port)
    await channel.send(TO, saying(f"code {CODE}"), 5)
    with pytest.raises(NotSent) as caught:
        await channel.send(smsc.NO_NUMBER, saying(f"code {CODE}"), 5)
    told = caplog.text + repr(vars(channel)) + repr(vars(channel._link)) + caught.value.reason
    for canary in (CODE, CODE.encode().hex(), PASSWORD, PASSWORD.encode().hex(), TO[1:], smsc.NO_NUMBER[1:]):
        assert canary not in told


def test_the_clear_is_warned_of(make_channel: MakeChannel, caplog: pytest.LogCaptureFixture) -> None:
    """smpp:// to another host is allowed, and said to be unencrypted at each start."""
    make_channel(1, url="smpp://10.0.0.7")
    assert "smpp:// sends codes and the password unencrypted" in caplog.text


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"url": "https://x"}, "Write smpps://"),
        ({"url": "smpp://x:70000"}, "Write smpps://"),
        ({"url": "smpp://user@x"}, "Write smpps://"),
        ({"system_id": "sixteen-letters-"}, "String should match"),
        ({"sender": "a name that is long"}, "is no number"),
        ({"window": 0}, "greater than"),
        ({"verify": False}, "Extra inputs"),
    ],
)
def test_settings_that_can_not_be_taken(
    make_channel: MakeChannel, changed: dict[str, object], problem: str
) -> None:
    """Each wrong setting is refused with what to write instead."""
    with pytest.raises(ValidationError, match=problem):
        make_channel(1, **changed)


def test_a_password_that_smpp_would_cut_short(
    make_channel: MakeChannel, secret_file: Callable[[str], Path]
) -> None:
    """Nine letters are refused at start: the bind has room for eight."""
    with pytest.raises(ValueError, match="up to 8 letters"):
        make_channel(1, password_file=secret_file("ninechars"))
