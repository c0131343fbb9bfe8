"""Against a real Postfix with Dovecot's SASL: what is delivered, and what is refused."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
import uvloop

from nightlatch.channel import Message, NotSent
from nightlatch_smtp.channel import built
from testbed.mail import MAILBOX, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage

    from testbed.mail import MailServer
    from testbed.mail_channels import Bench

pytestmark = pytest.mark.usefixtures("no_secret_said")
CODE = "48213377"


def parts(email: EmailMessage) -> tuple[str, str]:
    """An email's text and HTML."""
    text, html = email.get_body(("plain",)), email.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_code_arrives(
    bench: Bench, mail_server: MailServer, login_code: Callable[..., Message], security: str
) -> None:
    """Over STARTTLS and over TLS from the first byte, as text and HTML, with the headers that it needs."""
    port = mail_server.port if security == "starttls" else mail_server.tls_port
    to = "user01@nl.test" if security == "starttls" else "user02@nl.test"
    channel = bench.channel(port=port, security=security, from_name="Sign-in, ACME", reply_to="help@nl.test")
    receipt = await channel.send(to, login_code(), 10)
    (email,) = mail_server.received(to)
    assert email["From"] == f'"Sign-in, ACME" <{MAILBOX}>'
    assert (email["To"], email["Reply-To"]) == (to, "help@nl.test")
    assert email["Subject"] == "Your sign-in code"
    assert email["Auto-Submitted"] == "auto-generated"
    assert email["Date"] == "Sun, 01 Mar 2026 14:02:00 +0000"
    assert re.fullmatch(r"<[^<>@\s]+@nl\.test>", email["Message-ID"])
    assert email.get_content_type() == "multipart/alternative"
    text, html = parts(email)
    assert f"    {CODE}\n" in text
    assert f">{CODE}</p>" in html
    assert re.fullmatch(r"[0-9A-Za-z]{6,20}", receipt.provider_id)
    assert receipt.provider_id in email["Received"]
    assert "with ESMTPSA id" in email["Received"]  # TLS, and logged in


async def test_chinese_arrives_in_seven_bits(
    bench: Bench, mail_server: MailServer, login_code: Callable[..., Message]
) -> None:
    """Subject and sender encoded, body readable, nothing above 127 on the wire."""
    channel = bench.channel(port=mail_server.port, from_name="登录服务")
    await channel.send("user03@nl.test", login_code("zh-CN", host="主机"), 10)
    (email,) = mail_server.received("user03@nl.test")
    assert email["Subject"] == "您的登录验证码"
    assert email["From"] == f"登录服务 <{MAILBOX}>"
    assert "主机" in parts(email)[1]
    (file,) = (mail_server._folder / "mail" / "user03" / "new").iterdir()
    assert file.read_bytes().isascii()


async def test_a_line_that_begins_with_a_dot_arrives_whole(bench: Bench, mail_server: MailServer) -> None:
    """Dots are stuffed (RFC 5321, 4.5.2)."""
    templates = bench.folder / "templates"
    templates.mkdir(mode=0o755)
    (templates / "test.txt").write_text(".\n.hidden\nMAIL FROM:<x@y>\n")
    channel = bench.channel(port=mail_server.port, templates_dir=str(templates))
    await channel.send("user04@nl.test", Message("test", {}), 10)
    (email,) = mail_server.received("user04@nl.test")
    assert parts(email)[0].split() == [".", ".hidden", "MAIL", "FROM:<x@y>"]


async def test_an_unknown_address_is_refused_for_good(
    bench: Bench, mail_server: MailServer, login_code: Callable[..., Message]
) -> None:
    """5xx on RCPT: in the server's words, without the address."""
    with pytest.raises(NotSent) as refused:
        await bench.channel(port=mail_server.port).send("nobody@nl.test", login_code(), 10)
    assert refused.value.permanent
    assert refused.value.reason.startswith("the server refused the address: 550 5.1.1 <[…]>")
    assert "nobody@nl.test" not in refused.value.reason


async def test_a_wrong_password_is_the_accounts_fault(
    bench: Bench, mail_server: MailServer, login_code: Callable[..., Message]
) -> None:
    """535: temporary for the address, in the server's words, and tried once only."""
    channel = bench.channel(port=mail_server.port, password_file=bench.secret("wrong-Canary-8", "wrong"))
    before = mail_server.log().count("SASL PLAIN authentication failed")
    with pytest.raises(NotSent, match=r"the server refused the account: 535 5\.7\.8") as refused:
        await channel.send("user05@nl.test", login_code(), 10)
    assert not refused.value.permanent
    assert "wrong-Canary-8" not in repr(refused.value)
    mail_server.logged("SASL PLAIN authentication failed", before + 1)
    assert "SASL LOGIN authentication failed" not in mail_server.log()


async def test_a_new_password_in_the_file_is_used_at_once(
    bench: Bench, mail_server: MailServer, login_code: Callable[..., Message]
) -> None:
    """The file is read for each login."""
    channel = bench.channel(port=mail_server.port, password_file=bench.secret("wrong", "changing"))
    with pytest.raises(NotSent):
        await channel.send("user06@nl.test", login_code(), 10)
    bench.secret(PASSWORD, "changing")
    await channel.send("user06@nl.test", login_code(), 10)
    assert mail_server.received("user06@nl.test")


async def test_messages_in_parallel_all_arrive_once(
    bench: Bench, mail_server: MailServer, login_code: Callable[..., Message]
) -> None:
    """Twenty at once over three connections, and more over those that are kept."""
    channel = bench.channel(port=mail_server.port, connections=3)
    before = mail_server.log().count(": connect from")
    for _ in range(2):
        await asyncio.gather(*(channel.send("user07@nl.test", login_code(), 20) for _ in range(20)))
    assert len(mail_server.received("user07@nl.test", 40)) == 40
    mail_server.logged(": connect from", before + 3)


async def test_a_label_with_line_breaks_is_no_header(bench: Bench, mail_server: MailServer) -> None:
    """OOB-05: what a person named a credential adds neither a header nor a recipient to the notice."""
    label = "phone\r\nBcc: user11@nl.test\r\nSubject: hello\r\n\r\n<b>body</b>\u2028x"
    message = Message("notice_credential_added", {"label": label, "user": "alice\nBcc: user11@nl.test"})
    await bench.channel(port=mail_server.port).send("user10@nl.test", message, 10)
    (email,) = mail_server.received("user10@nl.test")
    assert email["Bcc"] is None
    assert email.get_all("Subject") == ["A second step was added to your account"]
    text, html = parts(email)
    assert "phone??Bcc: user11@nl.test??Subject: hello????<b>body</b>?x" in text
    assert "<b>body" not in html
    await bench.channel(port=mail_server.port).send("user11@nl.test", Message("test", {}), 10)
    assert len(mail_server.received("user11@nl.test")) == 1


async def test_without_a_login_a_submission_server_refuses(
    bench: Bench, mail_server: MailServer, login_code: Callable[..., Message]
) -> None:
    """A channel without an account is for relays that know this host."""
    channel = bench.channel(port=mail_server.port, username=None, password_file=None)
    with pytest.raises(NotSent, match=r"55[04] 5\.7\.1"):
        await channel.send("user08@nl.test", login_code(), 10)


def test_it_runs_on_uvloop(bench: Bench, mail_server: MailServer, login_code: Callable[..., Message]) -> None:
    """The daemon's event loop begins TLS its own way."""

    async def twice() -> None:
        channel = built(bench.settings(port=mail_server.port), bench.clock)
        await channel.send("user09@nl.test", login_code(), 10)
        await channel.send("user09@nl.test", login_code(), 10)
        await channel.close()

    uvloop.run(twice())
    assert len(mail_server.received("user09@nl.test", 2)) == 2
