"""OOB-06: a server that fails in every way, and what is told of it. Nothing hangs, nothing leaks."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from nightlatch.channel import NotSent
from testbed.faulty_mail import CUT, HANG, FaultyMail
from testbed.mail import PASSWORD
from testbed.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nightlatch.channel import Message
    from nightlatch_smtp.channel import SmtpChannel
    from testbed.mail_channels import Bench
    from testbed.pki import Pki

pytestmark = pytest.mark.usefixtures("no_secret_said")
TO = "alice.canary@example.test"
POINTS = ("GREETING", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA")


@pytest.fixture
async def server(pki: Pki) -> AsyncIterator[FaultyMail]:
    """A server that takes mail, until it is told otherwise."""
    async with FaultyMail(pki.server) as made:
        yield made


async def refused(channel: SmtpChannel, message: Message, deadline: float = 10) -> NotSent:
    """Why a message did not leave; LEK-01: without code, password and address."""
    with pytest.raises(NotSent) as caught:
        await channel.send(TO, message, deadline)
    for secret in ("48213377", PASSWORD, TO):
        assert secret not in str(caught.value) + repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.reason.isprintable()
    return caught.value


async def test_mail_is_taken(bench: Bench, server: FaultyMail, login_code: Callable[..., Message]) -> None:
    """The server is a good one without faults; its answer is kept as the provider's id."""
    receipt = await bench.channel(port=server.port).send(TO, login_code(), 10)
    assert server.mail[0].rcpt_tos == [TO]
    assert receipt.provider_id == "2.0.0 OK, taken as canary"


@pytest.mark.parametrize(
    "row",
    [
        ("GREETING", "421 4.3.2 busy", "the server takes no connection: 421 4.3.2 busy", False),
        ("GREETING", "554 5.7.1 not you", "the server takes no connection: 554 5.7.1 not you", False),
        ("EHLO", "550 5.7.1 who?", "the server refused the greeting: 550 5.7.1 who?", False),
        ("STARTTLS", "454 4.7.0 no TLS now", "the server refused: 454 4.7.0 no TLS now", False),
        ("AUTH", "454 4.7.0 later", "the server refused the account: 454 4.7.0 later", False),
        ("AUTH", "535 5.7.8 no", "the server refused the account: 535 5.7.8 no", False),
        ("AUTH", "534 5.7.9 use an app password", "the server refused the account: 534 5.7.9", False),
        ("MAIL", "451 4.3.0 later", "the server refused the sender: 451 4.3.0 later", False),
        ("MAIL", "550 5.7.60 not as this", "the server refused the sender: 550 5.7.60 not as this", False),
        ("RCPT", "450 4.2.1 grey", "the server refused the address: 450 4.2.1 grey", False),
        ("RCPT", "550 5.1.1 unknown", "the server refused the address: 550 5.1.1 unknown", True),
        ("RCPT", f"553 5.1.3 <{TO}>: bad", "the server refused the address: 553 5.1.3 <[…]>: bad", True),
        ("DATA", "452 4.3.1 disk full", "the server refused the message: 452 4.3.1 disk full", False),
        ("DATA", "554 5.7.1 spam", "the server refused the message: 554 5.7.1 spam", True),
        ("RCPT", "550-5.1.1 two\r\n550 5.1.1 lines", "550 5.1.1 two 5.1.1 lines", True),
        ("MAIL", "nonsense", "the server refused: -1 Malformed SMTP response line: nonsense", False),
    ],
)
async def test_a_reply_is_told_in_the_servers_words(
    bench: Bench, server: FaultyMail, login_code: Callable[..., Message], row: tuple[str, str, str, bool]
) -> None:
    """5xx for an address or a message is for good; all else is the channel's trouble."""
    point, reply, reason, permanent = row
    server.faults[point] = reply
    error = await refused(bench.channel(port=server.port), login_code())
    assert reason in error.reason
    assert error.permanent is permanent
    assert not server.mail


@pytest.mark.parametrize("point", POINTS)
async def test_a_server_that_hangs_ends_with_the_deadline(
    bench: Bench, server: FaultyMail, login_code: Callable[..., Message], point: str
) -> None:
    """At every point of the conversation, and the reason tells which."""
    server.faults[point] = HANG
    begin = time.monotonic()
    error = await refused(bench.channel(port=server.port), login_code(), 0.4)
    assert time.monotonic() - begin < 5
    assert error.reason.startswith("the server did not answer in time ")
    assert not error.permanent


@pytest.mark.parametrize("point", POINTS)
async def test_a_connection_that_is_cut_is_told(
    bench: Bench, server: FaultyMail, login_code: Callable[..., Message], point: str
) -> None:
    """At every point of the conversation; nothing is tried twice."""
    server.faults[point] = CUT
    error = await refused(bench.channel(port=server.port), login_code())
    assert error.reason.startswith("the server cut the connection ")
    assert not error.permanent
    assert server.seen["GREETING"] == 1


async def test_a_server_that_repeats_the_message_leaks_nothing(
    bench: Bench, server: FaultyMail, login_code: Callable[..., Message]
) -> None:
    """LEK-01: the code and the address are cut out of the server's words."""
    server.echo = True
    error = await refused(bench.channel(port=server.port), login_code())
    assert "I refuse this" in error.reason


async def test_a_server_that_repeats_the_password_leaks_nothing(
    bench: Bench, server: FaultyMail, login_code: Callable[..., Message]
) -> None:
    """LEK-01: also in base64, as it was sent."""
    server.faults["AUTH"] = f"535 5.7.8 {PASSWORD} is wrong \x1b[31m"
    error = await refused(bench.channel(port=server.port), login_code())
    assert "[…] is wrong" in error.reason


async def test_without_starttls_nothing_is_sent(
    bench: Bench, pki: Pki, login_code: Callable[..., Message]
) -> None:
    """Whoever takes the line out of EHLO's answer gets neither the password nor the code."""
    async with FaultyMail(pki.server, tls=False) as server:
        error = await refused(bench.channel(port=server.port), login_code())
    assert "does not offer STARTTLS" in error.reason
    assert not {"AUTH", "MAIL", "RCPT", "DATA"} & server.seen.keys()


@pytest.mark.parametrize("bad", ["expired", "wrong_host", "untrusted"])
async def test_a_wrong_certificate_gets_nothing(
    bench: Bench, pki: Pki, login_code: Callable[..., Message], bad: str
) -> None:
    """Expired, for another host, from an authority that nobody trusts."""
    async with FaultyMail(getattr(pki, bad)) as server:
        error = await refused(bench.channel(port=server.port), login_code())
    assert error.reason.startswith("the server's certificate is not trusted: ")
    assert not {"AUTH", "MAIL"} & server.seen.keys()


async def test_a_server_in_the_clear_gets_nothing_where_tls_comes_first(
    bench: Bench, server: FaultyMail, login_code: Callable[..., Message]
) -> None:
    """Implicit TLS against a server that begins in the clear."""
    error = await refused(bench.channel(port=server.port, security="tls"), login_code(), 5)
    assert error.reason.startswith("TLS with the server failed")
    assert "AUTH" not in server.seen


async def test_a_server_without_our_mechanisms_is_told(
    bench: Bench, pki: Pki, login_code: Callable[..., Message]
) -> None:
    """Neither PLAIN nor LOGIN."""
    async with FaultyMail(pki.server, mechanisms=False) as server:
        error = await refused(bench.channel(port=server.port), login_code())
    assert "neither AUTH PLAIN nor LOGIN" in error.reason


async def test_a_server_that_is_away_is_told(bench: Bench, login_code: Callable[..., Message]) -> None:
    """A closed port; a name that does not exist."""
    error = await refused(bench.channel(host="127.0.0.1", port=free_port()), login_code())
    assert error.reason == "nothing listens at the server's port: Connection refused"
    error = await refused(bench.channel(host="nowhere.invalid"), login_code(), 5)
    assert "name" in error.reason


async def test_a_hung_message_holds_up_no_other(
    bench: Bench, server: FaultyMail, login_code: Callable[..., Message]
) -> None:
    """OOB-06: each has its own connection and its own deadline."""
    channel = bench.channel(port=server.port)
    server.faults["DATA"] = HANG
    hung = [asyncio.create_task(refused(channel, login_code(), 60)) for _ in range(5)]
    await server.reached("DATA", 5)
    del server.faults["DATA"]
    begin = time.monotonic()
    await channel.send(TO, login_code(), 10)
    assert time.monotonic() - begin < 5
    for task in hung:
        task.cancel()
    await asyncio.gather(*hung, return_exceptions=True)


async def test_closing_does_not_wait_for_a_server_that_hangs(
    bench: Bench, server: FaultyMail, login_code: Callable[..., Message]
) -> None:
    """Kept connections are taken leave of for a second, all at once."""
    channel = bench.channel(port=server.port)
    await asyncio.gather(*(channel.send(TO, login_code(), 10) for _ in range(4)))
    server.faults["QUIT"] = HANG
    begin = time.monotonic()
    await channel.close()
    assert server.seen["QUIT"] == 4
    assert time.monotonic() - begin < 3.5


async def test_a_cancelled_message_leaves_no_connection(
    bench: Bench, server: FaultyMail, login_code: Callable[..., Message]
) -> None:
    """And its room is free again, with one connection allowed."""
    channel = bench.channel(port=server.port, connections=1)
    server.faults["RCPT"] = HANG
    task = asyncio.create_task(channel.send(TO, login_code(), 30))
    await server.reached("RCPT")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    del server.faults["RCPT"]
    await channel.send(TO, login_code(), 5)
    assert server.seen["GREETING"] == 2


@pytest.mark.parametrize("how", [CUT, "421 4.4.2 idle for too long", HANG])
async def test_a_kept_connection_that_died_is_replaced(
    bench: Bench, server: FaultyMail, login_code: Callable[..., Message], how: str
) -> None:
    """Before the address is named, a new connection costs nothing and sends nothing twice."""
    channel = bench.channel(port=server.port)
    await channel.send(TO, login_code(), 10)
    server.faults["MAIL"] = how
    task = asyncio.create_task(channel.send(TO, login_code(), 10))
    await server.reached("MAIL", 2)
    del server.faults["MAIL"]
    await task
    assert len(server.mail) == 2
    assert server.seen["GREETING"] == 2


async def test_a_kept_connection_that_was_cut_meanwhile_is_replaced(
    bench: Bench, server: FaultyMail, login_code: Callable[..., Message]
) -> None:
    """The server closed it while nobody looked."""
    channel = bench.channel(port=server.port)
    await channel.send(TO, login_code(), 10)
    server.cut_all()
    await channel.send(TO, login_code(), 10)
    assert len(server.mail) == 2


@pytest.mark.parametrize(
    "address",
    [
        "a@b.test\r\nBcc: x@y.test",
        "a@b.test\nRCPT TO:<x@y.test>",
        "a@b.test, x@y.test",
        "a@b.test x@y.test",
        "<a@b.test>",
        "a@b.test>",
        '"a b"@b.test',
        "a@[127.0.0.1]",
        "a b@c.test",
        "ä@b.test",
        "a@b..test",
        ".a@b.test",
        "a@b.test\x00",
        "a" * 65 + "@b.test",
        "a@" + "b." * 130 + "test",
        "a@b@c.test",
        "@b.test",
        "",
    ],
)
async def test_an_address_that_is_not_one_plain_mailbox_is_refused(
    bench: Bench, server: FaultyMail, login_code: Callable[..., Message], address: str
) -> None:
    """OOB-05: before anything is connected."""
    with pytest.raises(NotSent) as caught:
        await bench.channel(port=server.port).send(address, login_code(), 10)
    assert caught.value.permanent
    assert not server.seen


async def test_a_value_with_a_line_break_is_refused(
    bench: Bench, server: FaultyMail, login_code: Callable[..., Message]
) -> None:
    """OOB-05: in a code, without a connection and without the value; a name becomes one line."""
    channel = bench.channel(port=server.port)
    error = await refused(channel, login_code(code="4821\r\nBcc: x@y.test"))
    assert error.permanent
    assert "Bcc" not in error.reason
    assert not server.seen
    await channel.send(TO, login_code(host="web1\r\nBcc: x@y.test"), 10)
    content = server.mail[0].content
    assert isinstance(content, bytes)
    assert b"\nBcc" not in content
    assert server.mail[0].rcpt_tos == [TO]
