"""A channel of kind "twilio", against a gateway that answers as Twilio does, over TLS."""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import TYPE_CHECKING, Protocol

import pytest
from pydantic import ValidationError

from nightlatch.channel import Message, NotSent
from nightlatch_sms_gateways.twilio import TwilioChannel
from nightlatch_sms_gateways.twilio_settings import TwilioSettings
from testbed import sms
from testbed.hostile import server_context
from testbed.sms import CODE, TOKEN, words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from testbed.pki import Pki

TO = "+14155550142"


class MakeChannel(Protocol):
    """Makes a channel to a gateway on a port; `changed` are settings other than the usual."""

    def __call__(self, port: int, **changed: object) -> TwilioChannel: ...


@pytest.fixture
async def make_channel(pki: Pki, secret_file: Callable[..., Path]) -> AsyncIterator[MakeChannel]:
    """Channels that trust the test's CA; they are closed after the test."""
    made: list[TwilioChannel] = []

    def make(port: int, **changed: object) -> TwilioChannel:
        table = {
            "base_url": f"https://localhost:{port}",
            "account_sid": sms.ACCOUNT,
            "auth_token_file": secret_file(),
            "sender": "+14155550100",
            "ca_file": pki.ca,
        }
        made.append(TwilioChannel(TwilioSettings.model_validate(table | changed), words))
        return made[-1]

    yield make
    for channel in made:
        await channel.close()


@pytest.fixture
async def twilio(pki: Pki) -> AsyncIterator[sms.Gateway]:
    """A running gateway."""
    async with sms.gateway(sms.twilio, server_context(pki)) as running:
        yield running


async def failed(channel: TwilioChannel, message: Message, to: str = TO, seconds: float = 5) -> NotSent:
    """The failure to send; also looks for what it may not hold."""
    with pytest.raises(NotSent) as caught:
        await channel.send(to, message, seconds)
    for canary in (CODE, TOKEN, to, to[1:], to[2:-2]):
        assert canary not in caught.value.reason
    return caught.value


async def test_a_message_is_sent_as_the_gateway_wants_it(
    twilio: sms.Gateway, make_channel: MakeChannel, message: Message
) -> None:
    """One POST with To, From and Body; the receipt has the message's SID."""
    receipt = await make_channel(twilio.port).send(TO, message, 5)
    assert receipt.provider_id.startswith("SM")
    (asked,) = twilio.asked
    assert asked.form == {"To": TO, "From": "+14155550100", "Body": words(message)}


async def test_a_messaging_service_takes_the_sender_s_place(
    twilio: sms.Gateway, make_channel: MakeChannel, message: Message
) -> None:
    """With a messaging service, no From is sent."""
    await make_channel(twilio.port, sender=None, messaging_service_sid="MG01").send(TO, message, 5)
    assert twilio.asked[0].form == {"To": TO, "MessagingServiceSid": "MG01", "Body": words(message)}


@pytest.mark.parametrize(
    ("to", "permanent", "said"),
    [
        (
            sms.NO_NUMBER,
            True,
            "The 'To' number •••01 is not a valid phone number. (HTTP 400 Bad",
        ),
        (sms.NO_MOBILE, True, "'To' number is not a valid mobile number"),
        (sms.OPTED_OUT, True, "Attempt to send to unsubscribed recipient"),
        (
            sms.OFTEN,
            False,
            "Requests, error 20429) (asks to wait 30 s)",
        ),
        (sms.BROKEN, False, "An internal server error has occurred"),
        (sms.REPEATS, False, "Message to •••77 filtered: •••"),
    ],
)
async def test_a_refusal_is_told_in_the_gateway_s_words(  # noqa: PLR0917 - a row of a table
    twilio: sms.Gateway, make_channel: MakeChannel, message: Message, to: str, permanent: object, said: str
) -> None:
    """Each error is permanent or not, and its words are kept, without number and code."""
    error = await failed(make_channel(twilio.port), message, to)
    assert said in error.reason
    assert error.permanent is permanent
    assert len(twilio.asked) == 1


async def test_wrong_credentials_are_named_as_such(
    twilio: sms.Gateway, make_channel: MakeChannel, message: Message, secret_file: Callable[[str], Path]
) -> None:
    """An account that is refused says which settings to look at."""
    error = await failed(make_channel(twilio.port, auth_token_file=secret_file("no-token")), message)
    assert "look at account_sid and auth_token_file" in error.reason
    assert not error.permanent


async def test_an_api_key_is_its_own_user(
    twilio: sms.Gateway, make_channel: MakeChannel, message: Message
) -> None:
    """With an API key, its SID is the user of the Basic authentication, not the account's."""
    await failed(make_channel(twilio.port, api_key="SK0001"), message)
    expected = "Basic " + base64.b64encode(f"SK0001:{TOKEN}".encode()).decode()
    assert twilio.asked[0].headers["authorization"] == expected


@pytest.mark.parametrize(
    "address", ["14155550100", "+1415", "+1900\r\nBcc: x", "+١٤١٥٥٥٥٠١٠٠", "+01415555010", ""]
)
async def test_nothing_but_a_number_is_sent_to(
    twilio: sms.Gateway, make_channel: MakeChannel, message: Message, address: str
) -> None:
    """OOB-05: what is no E.164 number never reaches the gateway."""
    with pytest.raises(NotSent) as caught:
        await make_channel(twilio.port).send(address, message, 5)
    assert caught.value.permanent
    assert twilio.asked == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "nonsense",
        "{}",
        '{"sid": 7}',
        '{"sid": "a b"}',
        '{"sid": "SM1", "status": "failed"}',
        "[" * 60_000,
    ],
)
async def test_an_odd_success_is_none(
    pki: Pki, make_channel: MakeChannel, message: Message, body: str
) -> None:
    """A 201 without a message id, or with a failed state, was not sent."""
    async with sms.gateway(lambda _: sms.Reply(201, body), server_context(pki)) as odd:
        assert "HTTP 201 Created" in (await failed(make_channel(odd.port), message)).reason


async def test_a_redirect_is_not_followed(pki: Pki, make_channel: MakeChannel, message: Message) -> None:
    """Credentials go to the configured address only."""
    reply = sms.Reply(307, "", (("Location", "https://localhost/elsewhere"),))
    async with sms.gateway(lambda _: reply, server_context(pki)) as moved:
        assert (await failed(make_channel(moved.port), message)).reason == "HTTP 307 Temporary Redirect"
        assert len(moved.asked) == 1


@pytest.mark.parametrize(
    ("pair", "words_of_it"),
    [
        ("expired", "has expired"),
        ("wrong_host", "Hostname mismatch"),
        ("untrusted", "unable to get local issuer"),
    ],
)
async def test_a_wrong_certificate_ends_it_before_anything_is_said(
    pki: Pki, make_channel: MakeChannel, message: Message, pair: str, words_of_it: str
) -> None:
    """No credential is sent to a gateway whose certificate is not right."""
    context = server_context(pki)
    chosen = getattr(pki, pair)
    context.load_cert_chain(chosen.certificate, chosen.key)
    async with sms.gateway(sms.twilio, context) as false_gateway:
        error = await failed(make_channel(false_gateway.port), message)
        assert "the certificate is not to be trusted" in error.reason
        assert words_of_it in error.reason
        assert false_gateway.asked == []


async def test_no_canary_in_any_log(
    twilio: sms.Gateway, make_channel: MakeChannel, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    """LEK-01: with every library at its loudest, no code, credential or number is in a log."""
    caplog.set_level(logging.DEBUG)
    channel = make_channel(twilio.port)
    await channel.send(TO, message, 5)
    await failed(channel, message, sms.REPEATS)
    told = caplog.text + repr(channel) + repr(vars(channel)) + str(channel._settings)
    for canary in (CODE, TOKEN, TO[1:], sms.REPEATS[1:], twilio.asked[0].headers["authorization"]):
        assert canary not in told


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"base_url": "http://gateway.example"}, "is not encrypted"),
        ({"base_url": "https://u:p@gateway.example"}, "a password in an address"),
        ({"base_url": "https://gateway.example/"}, "it ends before"),
        ({"base_url": "https://gateway.example:99999"}, "port"),
        ({"base_url": "ftp://gateway.example"}, 'begins with "https://"'),
        ({"sender": None}, "who sends is named once"),
        ({"messaging_service_sid": "MG1"}, "who sends is named once"),
        ({"sender": "+1415x"}, "is no number"),
        ({"retries": 3}, "Extra inputs"),
    ],
)
def test_settings_that_can_not_be_taken(changed: dict[str, object], problem: str) -> None:
    """Each wrong setting is refused with what to write instead."""
    table = {"account_sid": "AC1", "auth_token_file": "/x", "sender": "Acme"}
    with pytest.raises(ValidationError, match=problem):
        TwilioSettings.model_validate(table | changed)


def test_a_token_that_others_can_read_is_refused(
    make_channel: MakeChannel, secret_file: Callable[..., Path]
) -> None:
    """A loose secret file stops the start, and the message says what to run."""
    loose = secret_file()
    loose.chmod(0o644)
    with pytest.raises(ValueError, match="Run: chmod 600"):
        make_channel(1, auth_token_file=loose)


async def test_many_at_once(twilio: sms.Gateway, make_channel: MakeChannel) -> None:
    """Parallel sends are independent: each message goes to its own number, with its own code."""
    channel = make_channel(twilio.port)

    async def one(number: int) -> None:
        await channel.send(f"+1415555{number:04}", Message("x", {"code": f"{number}", "minutes": "5"}), 20)

    await asyncio.gather(*(one(number) for number in range(300)))
    got = {asked.form["To"]: asked.form["Body"].split()[0] for asked in twilio.asked}
    assert got == {f"+1415555{number:04}": str(number) for number in range(300)}
