"""A submission server that fails as a test says, at any point of the conversation."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from typing import TYPE_CHECKING, AnyStr, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

if TYPE_CHECKING:
    from types import TracebackType

    from testbed.pki import Pair

HANG, CUT = "hang", "cut"


class FaultyMail:
    """Runs in the test's own loop, inside ``async with``.

    `faults` maps a point ("GREETING", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "QUIT") to a
    reply, or to HANG or CUT.
    """

    def __init__(self, pair: Pair, *, tls: bool = True, mechanisms: bool = True) -> None:
        self.faults: dict[str, str] = {}
        self.seen: Counter[str] = Counter()
        """How often each point was reached."""
        self.mail: list[Envelope] = []
        self.echo = False
        """Whether DATA is refused with the message itself."""
        self.port = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pair.certificate, pair.key)
        self._tls = tls
        self._mechanisms = mechanisms
        self._released = asyncio.Event()
        self._moved = asyncio.Condition()
        self._conversations: list[_Conversation] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._conversation, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._released.set()
        self._server.close()
        self.cut_all()
        await self._server.wait_closed()
        await asyncio.sleep(0)

    async def fault(self, point: str, conversation: SMTP) -> str | None:
        """The reply that a test wants at this point; hangs and cuts as it wants."""
        async with self._moved:
            self.seen[point] += 1
            self._moved.notify_all()
        wanted = self.faults.get(point)
        if wanted == HANG:
            await self._released.wait()
        if wanted == CUT:
            _cut(conversation)
            await self._released.wait()
        return wanted

    async def reached(self, point: str, count: int = 1) -> None:
        """Wait until a point was reached `count` times."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.seen[point] >= count)

    def cut_all(self) -> None:
        """Cut every connection."""
        for conversation in self._conversations:
            _cut(conversation)

    def _conversation(self) -> _Conversation:
        made = _Conversation(
            self,
            hostname="faulty.test",
            tls_context=self._context if self._tls else None,
            auth_require_tls=self._tls,
            auth_exclude_mechanism=() if self._mechanisms else ("PLAIN", "LOGIN"),
            authenticator=lambda *_: AuthResult(success=True),
        )
        self._conversations.append(made)
        return made

    # What aiosmtpd asks its handler.

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return await self.fault("QUIT", server) or "221 Bye"

    async def handle_EHLO(  # noqa: N802, the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        wanted = await self.fault("EHLO", server)
        return [wanted] if wanted else responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self.fault("MAIL", server) or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return await self.fault("RCPT", server) or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        wanted = await self.fault("DATA", server)
        if self.echo:
            assert isinstance(envelope.content, bytes)
            return "554 5.7.1 I refuse this: " + envelope.content.decode().replace("\r\n", " ")[:400]
        if wanted is None:
            self.mail.append(envelope)
        return wanted or "250 2.0.0 OK, taken as canary"


class _Conversation(SMTP):
    """aiosmtpd's server, with faults where its handler is not asked."""

    def __init__(self, faulty: FaultyMail, **options: object) -> None:
        super().__init__(faulty, **options)  # type: ignore[arg-type]  # they are aiosmtpd's own
        self._faulty = faulty

    async def push(self, status: AnyStr) -> None:
        """Send a reply; the greeting is one that nobody asked for."""
        greeting = "220 faulty.test" in str(status)
        wanted = await self._faulty.fault("GREETING", self) if greeting else None
        if wanted:
            await super().push(wanted)
        else:
            await super().push(status)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802, the name is aiosmtpd's
        """Begin TLS."""
        wanted = await self._faulty.fault("STARTTLS", self)
        if wanted:
            await self.push(wanted)
        else:
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        """Log in."""
        wanted = await self._faulty.fault("AUTH", self)
        if wanted:
            await self.push(wanted)
        else:
            await super().smtp_AUTH(arg)


def _cut(conversation: SMTP) -> None:
    transport = conversation.transport
    if isinstance(transport, asyncio.Transport):
        transport.abort()
