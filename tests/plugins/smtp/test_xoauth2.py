"""Tokens instead of passwords: a real server that believes an introspection, and a token endpoint."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from nightlatch.channel import Message, NotSent
from testbed.mail import MAILBOX
from testbed.token_endpoint import TokenEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nightlatch_smtp.channel import SmtpChannel
    from testbed.mail import MailServer
    from testbed.mail_channels import Bench
    from testbed.pki import Pki

pytestmark = pytest.mark.usefixtures("no_secret_said")


class Tokens:
    """Makes channels that log in with tokens of the endpoint."""

    def __init__(self, bench: Bench, mail_server: MailServer, endpoint: TokenEndpoint) -> None:
        self.bench, self.server, self.endpoint = bench, mail_server, endpoint

    def channel(self, *, port: int = 0, **table: object) -> SmtpChannel:
        """A channel; without more it refreshes at a custom provider."""
        oauth: dict[str, object] = {
            "preset": "custom",
            "client_id": "nightlatch",
            "client_secret_file": self.bench.secret("canary-client+secret/1", "client"),
            "token_url": self.endpoint.url,
            "ca_file": str(self.bench.pki.ca),
            **table,
        }
        if oauth.get("flow", "refresh_token") == "refresh_token" and oauth["preset"] != "outlook":
            oauth.setdefault("refresh_token_file", self.bench.secret("canary-refresh-1", "refresh"))
        given = {name: value for name, value in oauth.items() if value is not None}
        return self.bench.channel(port=port or self.server.port, oauth2=given)


@pytest.fixture
def tokens(bench: Bench, mail_server: MailServer, endpoint: TokenEndpoint) -> Tokens:
    """A maker of channels with tokens."""
    return Tokens(bench, mail_server, endpoint)


async def refused(channel: SmtpChannel, message: Message, deadline: float = 10) -> NotSent:
    """Why a message did not leave."""
    with pytest.raises(NotSent) as caught:
        await channel.send("user11@nl.test", message, deadline)
    for secret in ("canary", "48213377"):
        assert secret not in str(caught.value) + repr(caught.value)
    return caught.value


async def test_a_refresh_token_gives_tokens(tokens: Tokens, login_code: Callable[..., Message]) -> None:
    """RFC 6749, 6: and the mail server takes the mail for them."""
    await tokens.channel().send("user12@nl.test", login_code(), 10)
    assert tokens.server.received("user12@nl.test")
    assert tokens.endpoint.asked == [
        {
            "grant_type": "refresh_token",
            "client_id": "nightlatch",
            "client_secret": "canary-client+secret/1",
            "refresh_token": "canary-refresh-1",
        }
    ]


async def test_outlook_gives_tokens_for_client_credentials(
    tokens: Tokens, login_code: Callable[..., Message]
) -> None:
    """RFC 6749, 4.4, with Microsoft's scope."""
    channel = tokens.channel(preset="outlook", tenant="contoso.example")
    await channel.send("user13@nl.test", login_code(), 10)
    (form,) = tokens.endpoint.asked
    assert form["grant_type"] == "client_credentials"
    assert form["scope"] == "https://outlook.office365.com/.default"


async def test_a_google_service_account_signs_for_the_mailbox(
    tokens: Tokens, tmp_path: Path, login_code: Callable[..., Message]
) -> None:
    """RFC 7523: the statement names account, mailbox, scope and endpoint, and holds for ten minutes."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    content = {"client_email": "nl@acme.iam.test", "private_key_id": "k1", "private_key": pem.decode()}
    file = tmp_path / "account.json"
    file.write_text(json.dumps({**content, "type": "service_account"}))
    file.chmod(0o600)
    channel = tokens.channel(
        preset="gmail",
        flow="service_account",
        service_account_file=str(file),
        client_id=None,
        client_secret_file=None,
    )
    await channel.send("user14@nl.test", login_code(), 10)
    (form,) = tokens.endpoint.asked
    assert form.keys() == {"grant_type", "assertion"}
    assert jwt.get_unverified_header(form["assertion"])["kid"] == "k1"
    claims = jwt.decode(
        form["assertion"],
        key.public_key(),
        ["RS256"],
        {"verify_exp": False, "verify_iat": False},
        audience=tokens.endpoint.url,
    )
    now = int(tokens.bench.clock.now)
    assert claims == {
        "iss": "nl@acme.iam.test",
        "sub": MAILBOX,
        "scope": "https://mail.google.com/",
        "aud": tokens.endpoint.url,
        "iat": now,
        "exp": now + 600,
    }


async def test_a_token_is_kept_until_shortly_before_its_end(
    tokens: Tokens, login_code: Callable[..., Message]
) -> None:
    """One request for many messages; two minutes before the end, another."""
    channel = tokens.channel()
    await asyncio.gather(*(channel.send("user15@nl.test", login_code(), 10) for _ in range(5)))
    assert len(tokens.endpoint.asked) == 1
    for later, asked in ((3600 - 121, 1), (2, 2)):
        tokens.bench.clock.now += later
        await channel.close()  # so that the next message logs in again
        await channel.send("user15@nl.test", login_code(), 10)
        assert len(tokens.endpoint.asked) == asked


async def test_a_token_that_ended_early_is_renewed_once(
    tokens: Tokens, login_code: Callable[..., Message]
) -> None:
    """535 for a kept token: another one, another try, and the message leaves."""
    channel = tokens.channel()
    await channel.send("user16@nl.test", login_code(), 10)
    await channel.close()
    tokens.endpoint.good.clear()
    await channel.send("user16@nl.test", login_code(), 10)
    assert len(tokens.server.received("user16@nl.test", 2)) == 2
    assert len(tokens.endpoint.asked) == 2


async def test_a_fresh_token_that_is_refused_is_the_end(
    tokens: Tokens, login_code: Callable[..., Message]
) -> None:
    """No storm of requests: the server's verdict and its complaint about the token."""
    tokens.endpoint.mailbox = "somebody@else.test"
    tokens.endpoint.reply = lambda form: (200, {"access_token": "canary-token-bad", "expires_in": 3600})
    error = await refused(tokens.channel(), login_code())
    assert error.reason.startswith("the server refused the account: 535 5.7.8")
    assert "status 401" in error.reason
    assert not error.permanent
    assert len(tokens.endpoint.asked) == 1
    tokens.endpoint.mailbox = MAILBOX


async def test_a_long_token_follows_alone(tokens: Tokens, login_code: Callable[..., Message]) -> None:
    """Microsoft's tokens have 2,000 characters; a command line has 512 (RFC 4954, 4)."""
    token = "canary-token-" + "x" * 2500
    tokens.endpoint.good[token] = MAILBOX
    tokens.endpoint.reply = lambda form: (200, {"access_token": token, "expires_in": "3600"})
    await tokens.channel().send("user17@nl.test", login_code(), 10)
    assert tokens.server.received("user17@nl.test")


async def test_a_refresh_token_that_the_provider_changes_is_stored(
    tokens: Tokens, login_code: Callable[..., Message]
) -> None:
    """In its own file, mode 600, and used from then on."""
    tokens.endpoint.extra["refresh_token"] = "canary-refresh-2"
    channel = tokens.channel()
    await channel.send("user18@nl.test", login_code(), 10)
    file = tokens.bench.folder / "refresh"
    assert file.read_text() == "canary-refresh-2\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tokens.bench.folder.iterdir() if path.name.startswith(".")] == []
    await channel.close()
    tokens.bench.clock.now += 3600
    await channel.send("user18@nl.test", login_code(), 10)
    assert tokens.endpoint.asked[1]["refresh_token"] == "canary-refresh-2"


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "AADSTS700082: expired.\r\nTrace: 1"},
            "refused: invalid_grant: AADSTS700082: expired. Trace: 1 (HTTP 400)",
        ),
        (
            401,
            {
                "error": "invalid_client",
                "error_description": "not canary-client+secret/1 nor canary-client%2Bsecret%2F1",
            },
            "refused: invalid_client: not […] nor […] (HTTP 401)",
        ),
        (500, b"<html>oops canary", "refused: without a reason (HTTP 500)"),
        (200, b"[]", "refused: without a reason (HTTP 200)"),
        (200, b"[" * 100_000, "refused: without a reason (HTTP 200)"),
        (200, {"access_token": ["x"]}, "something that is no token"),
        (200, {"access_token": "a\r\nb"}, "something that is no token"),
        (302, b"https://localhost:1/elsewhere", "refused: without a reason (HTTP 302)"),
    ],
)
async def test_a_refusal_is_told_in_the_providers_words(
    tokens: Tokens,
    login_code: Callable[..., Message],
    status: int,
    content: dict[str, object] | bytes,
    reason: str,
) -> None:
    """On one line, without our secrets; a redirection is not followed with them."""
    tokens.endpoint.reply = lambda form: (status, content)
    error = await refused(tokens.channel(), login_code())
    assert error.reason.startswith("the token endpoint localhost ")
    assert error.reason.endswith(reason)
    assert not error.permanent


@pytest.mark.parametrize("bad", ["expired", "wrong_host", "untrusted"])
async def test_the_token_endpoints_certificate_is_checked(
    tokens: Tokens, pki: Pki, login_code: Callable[..., Message], bad: str
) -> None:
    """No secret leaves for an endpoint that is not who it should be."""
    other = TokenEndpoint(getattr(pki, bad))
    try:
        error = await refused(tokens.channel(token_url=other.url), login_code())
    finally:
        other.stop()
    assert "a certificate that is not trusted" in error.reason
    assert not other.asked


async def test_a_token_endpoint_that_hangs_ends_with_the_deadline(
    tokens: Tokens, login_code: Callable[..., Message]
) -> None:
    """OOB-06: and the next message may ask again."""
    tokens.endpoint.release.clear()

    def hang(form: dict[str, str]) -> tuple[int, dict[str, object] | bytes]:
        tokens.endpoint.release.wait(20)
        return 503, b""

    tokens.endpoint.reply = hang
    channel = tokens.channel()
    error = await refused(channel, login_code(), 0.3)
    assert "did not answer in time while a token was asked for" in error.reason
    tokens.endpoint.release.set()
    tokens.endpoint.reply = None
    await channel.send("user19@nl.test", login_code(), 10)


async def test_secrets_that_vanish_while_the_daemon_runs_are_told(
    tokens: Tokens, login_code: Callable[..., Message]
) -> None:
    """With the file's name."""
    channel = tokens.channel()
    (tokens.bench.folder / "client").chmod(0o644)
    assert "Run: chmod 600" in (await refused(channel, login_code())).reason
    (tokens.bench.folder / "client").unlink()
    assert "there is no file" in (await refused(channel, login_code())).reason


async def test_an_endpoint_that_is_away_is_told(tokens: Tokens, login_code: Callable[..., Message]) -> None:
    """A refused connection."""
    error = await refused(tokens.channel(token_url="https://localhost:1/token"), login_code())
    assert error.reason.startswith("the token endpoint localhost can not be reached")
