"""A channel of kind "http_sms": requests by template, against a real HTTP server."""

from __future__ import annotations

import base64
import json
import logging
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from nightlatch.channel import Message, NotSent
from nightlatch_sms_gateways.http_settings import HttpSmsSettings
from nightlatch_sms_gateways.http_sms import HttpSmsChannel
from testbed import sms
from testbed.hostile import server_context
from testbed.sms import CODE, TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from testbed.pki import Pki

TO = "+14155550142"
NASTY = "a&b=c \"q\" </x> %41 {to} é €\\ + 'z' 短"
"""Text with what ends something in one of the formats."""
FORM: dict[str, object] = {"form": {"to": "{to}", "text": "{text}"}}


def nasty(_: Message) -> str:
    """A text that tries to leave its place."""
    return NASTY


class MakeChannel(Protocol):
    """Makes a channel from settings; the URL's host and port are put in front of `path`."""

    def __call__(self, port: int, *tables: dict[str, object], path: str = "/send") -> HttpSmsChannel: ...


@pytest.fixture
async def make_channel(pki: Pki) -> AsyncIterator[MakeChannel]:
    """Channels that trust the test's CA; they are closed after the test."""
    made: list[HttpSmsChannel] = []

    def make(port: int, *tables: dict[str, object], path: str = "/send") -> HttpSmsChannel:
        table: dict[str, object] = {"url": f"https://localhost:{port}{path}", "ca_file": pki.ca}
        for one in tables:
            table |= one
        made.append(HttpSmsChannel(HttpSmsSettings.model_validate(table), nasty))
        return made[-1]

    yield make
    for channel in made:
        await channel.close()


def answering(status: int, body: str, media_type: str = "text/plain") -> sms.Answerer:
    """Always the same answer."""
    return lambda _: sms.Reply(status, body, (("Content-Type", media_type),))


@pytest.fixture
async def gateway(pki: Pki) -> AsyncIterator[sms.Gateway]:
    """A gateway that takes everything."""
    async with sms.gateway(answering(200, '{"id": "m-1"}'), server_context(pki)) as running:
        yield running


async def failed(channel: HttpSmsChannel, message: Message) -> NotSent:
    """The failure to send."""
    with pytest.raises(NotSent) as caught:
        await channel.send(TO, message, 5)
    return caught.value


async def test_a_form(gateway: sms.Gateway, make_channel: MakeChannel, message: Message) -> None:
    """Values can not leave their field of a form."""
    await make_channel(gateway.port, FORM).send(TO, message, 5)
    assert gateway.asked[0].form == {"to": TO, "text": NASTY}
    assert gateway.asked[0].headers["content-type"] == "application/x-www-form-urlencoded"


async def test_a_get_with_a_query(gateway: sms.Gateway, make_channel: MakeChannel, message: Message) -> None:
    """Values can not leave their place in path or query."""
    path = "/to/{to_digits}/x?text={text}&to={to}"
    await make_channel(gateway.port, {"method": "GET"}, path=path).send(TO, message, 5)
    parts = urlsplit(gateway.asked[0].target)
    assert parts.path == f"/to/{TO[1:]}/x"
    assert parse_qs(parts.query) == {"text": [NASTY], "to": [TO]}
    assert (gateway.asked[0].method, gateway.asked[0].body) == ("GET", "")


async def test_json(gateway: sms.Gateway, make_channel: MakeChannel, message: Message) -> None:
    """Placeholders in any depth of a JSON body are filled in, and all else stays as it is."""
    body = {"messages": [{"to": "{to}", "text": "<{text}>"}], "flash": False, "n": 1}
    await make_channel(gateway.port, {"json_body": body}).send(TO, message, 5)
    expected = {"messages": [{"to": TO, "text": f"<{NASTY}>"}], "flash": False, "n": 1}
    assert json.loads(gateway.asked[0].body) == expected


@pytest.mark.parametrize(
    ("content_type", "body", "sent"),
    [
        ("application/json", '{{"t": "{text}", "to": "{to}"}}', json.dumps({"t": NASTY, "to": TO})),
        ("text/plain; charset=utf-8", "{to_digits}\n{text}", f"{TO[1:]}\n{NASTY}"),
        (
            "application/xml",
            "<sms to='{to}'>{text}</sms>",
            f"<sms to='{TO}'>a&amp;b=c &quot;q&quot; &lt;/x&gt; %41 {{to}} é €\\ + &apos;z&apos; 短</sms>",
        ),
    ],
)
async def test_any_other_body(  # noqa: PLR0917 - a row of a table
    gateway: sms.Gateway, make_channel: MakeChannel, message: Message, content_type: str, body: str, sent: str
) -> None:
    """Values are escaped as the content type needs."""
    await make_channel(gateway.port, {"content_type": content_type, "body": body}).send(TO, message, 5)
    assert gateway.asked[0].body == sent
    assert gateway.asked[0].headers["content-type"] == content_type


@pytest.mark.parametrize(("text", "coding"), [("a€", "0"), ("短", "2")])
async def test_the_coding(pki: Pki, gateway: sms.Gateway, message: Message, text: str, coding: str) -> None:
    """A gateway can be told whether a text is in GSM's alphabet."""
    table = {"url": f"https://localhost:{gateway.port}/", "ca_file": pki.ca}
    form = {"to": "{to}", "text": "{text}", "coding": "{coding}"}
    channel = HttpSmsChannel(HttpSmsSettings.model_validate(table | {"form": form}), lambda _: text)
    await channel.send(TO, message, 5)
    await channel.close()
    assert gateway.asked[0].form["coding"] == coding


async def test_secrets_and_a_password_come_from_files(
    gateway: sms.Gateway, make_channel: MakeChannel, message: Message, secret_file: Callable[..., Path]
) -> None:
    """A secret is filled in where it is named; the password goes into Basic authentication."""
    secrets = {"secrets": {"token": secret_file()}, "headers": {"X-Key": "k {token}"}}
    basic = {"username": "nl", "password_file": secret_file("p:w")}
    await make_channel(gateway.port, FORM, secrets, basic).send(TO, message, 5)
    headers = gateway.asked[0].headers
    assert headers["x-key"] == f"k {TOKEN}"
    assert headers["authorization"] == "Basic " + base64.b64encode(b"nl:p:w").decode()


@pytest.mark.parametrize(
    ("found", "body", "provider_id"),
    [
        ({"id_json": "/id"}, '{"id": "m-1"}', "m-1"),
        ({"id_json": "/m/0/id"}, '{"m": [{"id": 42}]}', "42"),
        ({"id_json": "/a~1b"}, '{"a/b": "x"}', "x"),
        ({"id_json": "/id"}, "no json", ""),
        ({"id_json": "/id"}, json.dumps({"id": "a\r\nb"}), ""),
        ({"id_json": "/id"}, json.dumps({"id": TO}), ""),
        ({"id_pattern": "ID: (.*)"}, "OK\nID: 7f", "7f"),
        ({}, "anything", ""),
    ],
)
async def test_the_provider_s_id(  # noqa: PLR0917 - a row of a table
    pki: Pki,
    make_channel: MakeChannel,
    message: Message,
    found: dict[str, object],
    body: str,
    provider_id: str,
) -> None:
    """The id is taken from where the settings say; an odd one is left out, for the message was taken."""
    async with sms.gateway(answering(200, body), server_context(pki)) as running:
        receipt = await make_channel(running.port, FORM, found).send(TO, message, 5)
    assert receipt.provider_id == provider_id


@pytest.mark.parametrize(
    ("tests", "status", "body", "said"),
    [
        ({}, 400, "no credit left", "HTTP 400 Bad Request: no credit left"),
        ({}, 204, "", "HTTP 204 No Content (204 is not in success_codes)"),
        (
            {"success_pattern": "^OK"},
            200,
            "ERR 7",
            "HTTP 200 OK: ERR 7 (success_pattern is not in the answer)",
        ),
        ({"success_json": {"/s": "ok"}}, 200, '{"s": "no"}', "(success_json /s is not as configured)"),
        ({"success_json": {"/s": "0"}}, 200, "[]", "(success_json /s is not as configured)"),
        (
            {"reason_json": "/e/m"},
            500,
            '{"e": {"m": "try later"}}',
            "HTTP 500 Internal Server Error: try later",
        ),
        ({}, 401, "who?", "refuses the credentials: HTTP 401 Unauthorized: who?"),
        ({}, 429, "slow", "asked too often: HTTP 429 Too Many Requests: slow"),
        ({}, 400, f"bad +1 (415) 555-0142 {CODE[:3]} {CODE[3:]}", "HTTP 400 Bad Request: bad •••42 •••"),
        ({}, 400, "bad 415 555 0142", "HTTP 400 Bad Request: bad •••42"),
    ],
)
async def test_a_refusal(  # noqa: PLR0917 - a row of a table
    pki: Pki,
    make_channel: MakeChannel,
    message: Message,
    tests: dict[str, object],
    status: int,
    body: str,
    said: str,
) -> None:
    """What fails one test of success was not sent, and the gateway's words are kept, cleaned."""
    async with sms.gateway(answering(status, body), server_context(pki)) as running:
        error = await failed(make_channel(running.port, FORM, tests), message)
    assert said in error.reason
    assert not error.permanent


async def test_an_error_page_is_not_repeated(pki: Pki, make_channel: MakeChannel, message: Message) -> None:
    """Of an HTML page only the status is told."""
    page = answering(502, "<html><body>nginx</body></html>", "text/html; charset=utf-8")
    async with sms.gateway(page, server_context(pki)) as running:
        assert (await failed(make_channel(running.port, FORM), message)).reason == "HTTP 502 Bad Gateway"


async def test_a_number_that_never_works(pki: Pki, make_channel: MakeChannel, message: Message) -> None:
    """permanent_pattern makes a refusal permanent, whatever the status."""
    async with sms.gateway(answering(200, "error: unknown subscriber"), server_context(pki)) as running:
        channel = make_channel(running.port, FORM, {"permanent_pattern": "unknown subscriber"})
        assert (await failed(channel, message)).permanent


async def test_no_canary_in_words_or_logs(
    pki: Pki,
    make_channel: MakeChannel,
    message: Message,
    secret_file: Callable[..., Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """LEK-01: a gateway that repeats the whole request gives nothing away, nor does a library's debug log."""
    caplog.set_level(logging.DEBUG)
    path = "/send?key={token}&text={text}&to={to}"

    def echo(asked: sms.Asked) -> sms.Reply:
        return sms.Reply(400, f"{asked.target} {asked.headers} {CODE} {NASTY} {TOKEN} {TOKEN.upper()}")

    basic = {"username": "nl", "password_file": secret_file("pass word/+")}
    async with sms.gateway(echo, server_context(pki)) as running:
        table: dict[str, object] = {"secrets": {"token": secret_file()}, "method": "GET"}
        channel = make_channel(running.port, table, basic, path=path)
        error = await failed(channel, message)
        pair = running.asked[0].headers["authorization"].split()[1]
    told = error.reason + caplog.text + repr(channel) + repr(vars(channel))
    for canary in (CODE, TOKEN, TO[1:], "415555", pair, "pass word"):
        assert canary.lower() not in told.lower()


async def test_a_gateway_on_this_host_needs_no_tls(make_channel: MakeChannel, message: Message) -> None:
    """Plain http is taken for 127.0.0.1, where nobody else listens."""
    async with sms.gateway(answering(202, "0: Accepted for delivery"), None) as running:
        channel = make_channel(running.port, {"url": f"http://127.0.0.1:{running.port}/sendsms"}, FORM)
        await channel.send(TO, message, 5)
    assert len(running.asked) == 1


URL = "https://gw.example/x"


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"url": "http://gw.example/x", **FORM}, "is not encrypted"),
        ({"url": "http://127.0.0.1.evil.example/x", **FORM}, "is not encrypted"),
        ({"url": "https://{to}.example/", **FORM}, "the host must be a name"),
        ({"url": "https://gw.example/#x", **FORM}, "no part of it"),
        ({"url": URL, "form": {"to": "{to}"}}, "the text is nowhere"),
        ({"url": URL, "form": {"t": "{text}"}}, "the number or the text is nowhere"),
        ({"url": URL, "form": {"t": "{text}{to}{token}"}}, 'nothing is called "{token}"'),
        ({"url": URL, "form": {"t": "{text.x}{to}"}}, "is no placeholder"),
        ({"url": URL, "form": {"t": "{text!r}{to}"}}, "is no placeholder"),
        ({"url": URL, "form": {"t": "{"}}, "a brace stands alone"),
        ({"url": URL, **FORM, "body": "x"}, "a request has one body"),
        ({"url": URL, **FORM, "method": "GET"}, "a GET has no body"),
        ({"url": URL, **FORM, "username": "a"}, "belong together"),
        ({"url": URL, **FORM, "headers": {"X": "{text}"}}, "may stand in a header"),
        ({"url": URL, **FORM, "headers": {"X": "a\r\nb"}}, "can not be sent as a header"),
        ({"url": URL, **FORM, "headers": {"Host": "a"}}, "is made from the request itself"),
        ({"url": URL, **FORM, "secrets": {"text": "/x"}}, "part of the message"),
        ({"url": URL, **FORM, "success_pattern": "("}, "no regular expression"),
        ({"url": URL, **FORM, "id_json": "id"}, "no JSON pointer"),
        ({"url": URL, **FORM, "success_codes": [302]}, "success_codes"),
        ({"url": URL, **FORM, "verify": False}, "Extra inputs"),
    ],
)
def test_settings_that_can_not_be_taken(table: dict[str, object], problem: str) -> None:
    """Each wrong setting is refused with what to write instead."""
    with pytest.raises(ValidationError) as caught:
        HttpSmsSettings.model_validate(table)
    assert problem in str(caught.value)
