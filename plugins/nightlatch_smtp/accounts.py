"""Logging in at the server (RFC 4954), with a password or with a token.

MUST 1: one mechanism is tried, once: a refused password is not offered again by another mechanism, because
        servers count and lock.
MUST 2: a secret is sent over TLS only; the session sees to that before it calls.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Protocol

from aiosmtplib import SMTPAuthenticationError, SMTPNotSupported
from aiosmtplib.auth import auth_xoauth2_encode

from nightlatch.channel import NotSent
from nightlatch_smtp.files import read_line
from nightlatch_smtp.tokens import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from aiosmtplib import SMTP

    from nightlatch_smtp.tokens import Tokens

_LONGEST_COMMAND = 512
"""Octets of a command with its line end (RFC 5321, 4.5.3.1.4); a longer response must follow alone."""
_GO_ON = 334
_DONE = 235


class Account(Protocol):
    """Who we are at the server. Logins run in parallel: nothing of one is kept here."""

    username: str

    async def secret(self, instead_of: str = "") -> Secret:
        """What to log in with, and not `instead_of`, which was refused; raises NotSent."""

    async def log_in(self, client: SMTP, secret: str) -> None:
        """Log in; raises SMTPException."""


class NoAccount:
    """For a server that takes mail from this host without a login."""

    username = ""

    async def secret(self, instead_of: str = "") -> Secret:  # noqa: ARG002, there is but one
        """Nothing."""
        return Secret("", fresh=True)

    async def log_in(self, client: SMTP, secret: str) -> None:
        """Nothing to do."""


class PasswordAccount:
    """AUTH PLAIN, or LOGIN where the server has no PLAIN."""

    def __init__(self, username: str, password_file: Path) -> None:
        self.username = username
        self._file = password_file

    async def secret(self, instead_of: str = "") -> Secret:  # noqa: ARG002, there is but one
        """What the file holds now."""
        try:
            return Secret(read_line(self._file), fresh=True)
        except ValueError as error:
            raise NotSent(f"the password can not be read: {error}") from None

    async def log_in(self, client: SMTP, secret: str) -> None:
        """Log in with the password."""
        offered = client.server_auth_methods
        if "plain" in offered:
            await client.auth_plain(self.username, secret)
        elif "login" in offered:
            await client.auth_login(self.username, secret)
        else:
            raise SMTPNotSupported(f"it offers neither AUTH PLAIN nor LOGIN, but {_listed(offered)}")


class TokenAccount:
    """AUTH XOAUTH2 (https://developers.google.com/gmail/imap/xoauth2-protocol)."""

    def __init__(self, username: str, tokens: Tokens) -> None:
        self.username = username
        self._tokens = tokens

    async def secret(self, instead_of: str = "") -> Secret:
        """A token that is good now."""
        return await self._tokens.token(instead_of)

    async def log_in(self, client: SMTP, secret: str) -> None:
        """Log in with the token."""
        if "xoauth2" not in client.server_auth_methods:
            raise SMTPNotSupported(
                f"it does not offer AUTH XOAUTH2, but {_listed(client.server_auth_methods)}"
            )
        await _xoauth2(client, auth_xoauth2_encode(self.username, secret))


async def _xoauth2(client: SMTP, response: bytes) -> None:
    command = (b"AUTH", b"XOAUTH2")
    if len(b" ".join((*command, response))) + 2 <= _LONGEST_COMMAND:
        answer = await client.execute_command(*command, response)
    else:
        answer = await client.execute_command(*command)
        if answer.code == _GO_ON:
            answer = await client.execute_command(response)
    why = ""
    if answer.code == _GO_ON:  # the server's complaint, in JSON; an empty line asks for its verdict
        why = _complaint(answer.message)
        answer = await client.execute_command(b"")
    if answer.code != _DONE:
        raise SMTPAuthenticationError(answer.code, f"{answer.message}{why}")


def _complaint(challenge: str) -> str:
    try:
        content = json.loads(b64decode(challenge))
    except (ValueError, RecursionError):
        return ""
    if not isinstance(content, dict):
        return ""
    parts = [f"{name} {content[name]}" for name in ("status", "scope") if isinstance(content.get(name), str)]
    return f" (token: {', '.join(parts)})" if parts else ""


def _listed(methods: list[str]) -> str:
    return ", ".join(methods).upper() or "nothing"
