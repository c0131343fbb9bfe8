"""One connection to the submission server.

MUST 1: nothing but EHLO and STARTTLS is said before TLS stands; without STARTTLS there is no mail.
MUST 2: a session that failed in any way is thrown away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from aiosmtplib import SMTP, SMTPException

if TYPE_CHECKING:
    import asyncio
    import ssl

    from nightlatch_smtp.mail import Mail

_QUEUED_AS = re.compile(r"queued as <?([A-Za-z0-9._@-]{1,100})", re.IGNORECASE)


class NotEncrypted(SMTPException):
    """The server does not offer STARTTLS."""


class Phase(Enum):
    """How far a session is, in words for people."""

    CONNECT = "while connecting"
    TLS = "while TLS began"
    LOGIN = "while logging in"
    SENDER = "when the sender was named"
    RECIPIENT = "when the address was named"
    CONTENT = "after the message was given, which may have been taken"
    IDLE = "between two messages"


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect, and how."""

    host: str
    port: int
    context: ssl.SSLContext
    tls_at_once: bool
    hello: str


class Session:
    """A connection; `phase` tells how far it got."""

    def __init__(self, server: Server) -> None:
        self.phase = Phase.CONNECT
        self._server = server
        self._client = SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls_at_once,
            start_tls=False,
            tls_context=server.context,
            local_hostname=server.hello,
            timeout=None,  # the caller has a deadline
        )
        self._transport: asyncio.BaseTransport | None = None
        self.expiry: asyncio.TimerHandle | None = None
        """Ends the session while it is kept for another message."""

    @property
    def client(self) -> SMTP:
        """The connection, for a login."""
        return self._client

    @property
    def alive(self) -> bool:
        """Whether it seems to be connected."""
        return self._client.is_connected

    async def open(self) -> None:
        """Connect, and begin TLS; raises SMTPException, OSError."""
        await self._client.connect()
        if not self._server.tls_at_once:
            self.phase = Phase.TLS
            await self._client.ehlo()
            if not self._client.supports_extension("starttls"):
                raise NotEncrypted("no STARTTLS")
            await self._client.starttls()
        if self._client.get_transport_info("sslcontext") is None:
            raise NotEncrypted("no TLS")
        # The library lets go of it without cutting it.
        self._transport = self._client.transport
        self.phase = Phase.LOGIN
        await self._client.ehlo()

    async def name_sender(self, mail: Mail) -> None:
        """Begin a message; raises SMTPException. Nothing was sent when this fails."""
        self.phase = Phase.SENDER
        await self._client.mail(mail.sender)

    async def deliver(self, mail: Mail) -> str:
        """Give the message that was begun; returns the server's answer. Raises SMTPException."""
        self.phase = Phase.RECIPIENT
        await self._client.rcpt(mail.recipient)
        self.phase = Phase.CONTENT
        answer = await self._client.data(mail.content)
        self.phase = Phase.IDLE
        queued = _QUEUED_AS.search(answer.message)
        return queued.group(1) if queued else answer.message

    async def quit(self) -> None:
        """Take leave; raises SMTPException."""
        await self._client.execute_command(b"QUIT")

    def drop(self) -> None:
        """Cut the connection, now: a farewell in TLS would wait for a server that may hang."""
        if self.expiry is not None:
            self.expiry.cancel()
        for transport in (self._transport, self._client.transport):
            if transport is not None:
                transport.abort()  # type: ignore[attr-defined]  # TCP and TLS transports have it
        self._client.close()
