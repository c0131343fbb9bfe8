"""AUTH PLAIN and AUTH LOGIN (RFC 4954), at real servers that offer one of them or neither."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from nightlatch.channel import Message, NotSent
from testbed.mail import MAILBOX, PASSWORD, MailServer
from testbed.wire import wire_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from testbed.mail_channels import Bench
    from testbed.pki import Pki

pytestmark = pytest.mark.usefixtures("no_secret_said")


@pytest.fixture(scope="module", params=["plain", "login"])
def mechanism(request: pytest.FixtureRequest) -> str:
    """The one mechanism of the server."""
    return str(request.param)


@pytest.fixture(scope="module")
def server(open_folder: Path, pki: Pki, mechanism: str) -> Iterator[MailServer]:
    """Postfix with a Dovecot that offers one mechanism and no other."""
    made = MailServer(open_folder / f"mail-{mechanism}", pki, lambda _token: None, mechanism)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_code_arrives_by_the_one_mechanism_there_is(
    bench: Bench, server: MailServer, mechanism: str, login_code: Callable[..., Message], security: str
) -> None:
    """By PLAIN where there is PLAIN, by LOGIN where there is LOGIN alone: the server tells which it was."""
    port = server.port if security == "starttls" else server.tls_port
    to = "user01@nl.test" if security == "starttls" else "user02@nl.test"
    await bench.channel(port=port, security=security).send(to, login_code(), 10)
    (email,) = server.received(to)
    assert "with ESMTPSA id" in email["Received"]
    server.logged(f"sasl_method={mechanism.upper()}, sasl_username={MAILBOX}", 1 + (security == "tls"))


async def test_nothing_but_a_greeting_is_said_before_tls(
    bench: Bench, server: MailServer, login_code: Callable[..., Message]
) -> None:
    """In the clear there are EHLO and STARTTLS; no account, no address, no password in any spelling."""
    async with wire_to(server.port) as wire:
        channel = bench.channel(port=wire.port, hello="client.nl.test")
        await channel.send("user03@nl.test", login_code(), 10)
        assert wire.in_the_clear() == [b"EHLO client.nl.test\r\nSTARTTLS\r\n"]
        secrets = (MAILBOX, PASSWORD, f"\0{MAILBOX}\0{PASSWORD}", "user03")
        for secret in secrets:
            assert secret.encode() not in wire.said[0]
            assert b64encode(secret.encode()) not in wire.said[0]


async def test_a_wrong_password_is_tried_once(
    bench: Bench, server: MailServer, mechanism: str, login_code: Callable[..., Message]
) -> None:
    """The refusal is the server's word on the account; no other mechanism is tried with the password."""
    channel = bench.channel(port=server.port, password_file=bench.secret("wrong-Canary-9", "wrong"))
    with pytest.raises(NotSent, match=r"the server refused the account: 535 5\.7\.8") as refused:
        await channel.send("user04@nl.test", login_code(), 10)
    assert not refused.value.permanent
    server.logged(f"SASL {mechanism.upper()} authentication failed", 1)
    server.logged("authentication failed", 1)


async def test_a_server_without_either_is_not_used(
    bench: Bench, open_folder: Path, pki: Pki, login_code: Callable[..., Message]
) -> None:
    """A server that offers tokens alone gets no password; the reason says what it offers."""
    server = MailServer(open_folder / "mail-tokens", pki, lambda _token: None, "xoauth2")
    server.start()
    try:
        async with wire_to(server.port) as wire:
            with pytest.raises(NotSent, match="offers neither AUTH PLAIN nor LOGIN, but XOAUTH2"):
                await bench.channel(port=wire.port).send("user05@nl.test", login_code(), 10)
        assert "sasl_method" not in server.log()
    finally:
        server.stop()
