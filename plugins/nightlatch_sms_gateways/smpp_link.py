"""Keeps one session with an SMPP server: made at the first need, made anew when it ends, never in a hurry.

MUST 1: the server is never asked to bind more often than the pauses allow, however many messages wait.
MUST 2: while there is no session and no attempt, a message is refused at once, with the last reason.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.channel import NotSent
from nightlatch_sms_gateways.smpp_pdu import meaning
from nightlatch_sms_gateways.smpp_session import Session, SessionEnded
from nightlatch_sms_gateways.trust import trouble

if TYPE_CHECKING:
    import ssl
    from asyncio import Future, Task

    from nightlatch_sms_gateways.secret_files import Secret
    from nightlatch_sms_gateways.smpp_receipts import Receipts
    from nightlatch_sms_gateways.smpp_settings import SmppSettings

BIND_SECONDS = 10.0
"""For the connection, TLS and the bind together."""
PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Seconds between two attempts; the last one stays."""
STEADY_SECONDS = 60.0
"""A session that lived as long as this was a good one: the pauses begin anew."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no session."""

    reason: str


@dataclass(frozen=True, slots=True)
class Account:
    """Where to bind, and as whom."""

    settings: SmppSettings
    password: Secret
    context: ssl.SSLContext | None


class Link:
    """The way to one server."""

    def __init__(self, account: Account, receipts: Receipts) -> None:
        self._account = account
        self._receipts = receipts
        self._keeper: Task[None] | None = None
        self._attempt: Future[Session | Failure] | None = None

    async def session(self) -> Session:
        """The session, as soon as there is one; raises NotSent when the last attempt failed."""
        if self._keeper is None or self._keeper.done():
            self._attempt = asyncio.get_running_loop().create_future()
            self._keeper = asyncio.create_task(self._keep(), name="smpp link")
        assert self._attempt is not None
        found = await asyncio.shield(self._attempt)
        if isinstance(found, Failure):
            raise NotSent(found.reason)
        return found

    async def close(self) -> None:
        """End the session, and make no other."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        if self._attempt is not None and self._attempt.done():
            found = self._attempt.result()
            if isinstance(found, Session):
                await found.goodbye()
        keeper.cancel()
        await asyncio.wait({keeper})

    async def _keep(self) -> None:
        failures = 0
        while True:
            begun = asyncio.get_running_loop().time()
            reason = await self._one_session()
            if asyncio.get_running_loop().time() - begun > STEADY_SECONDS:
                failures = 0
            self._settle(Failure(reason))
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1
            self._attempt = asyncio.get_running_loop().create_future()

    async def _one_session(self) -> str:
        """Have one session, from connecting to its end; why it ended."""
        try:
            async with asyncio.timeout(BIND_SECONDS):
                session = await self._connected()
        except TimeoutError:
            return f"the server can not be reached: no connection within {BIND_SECONDS:g} s"
        except OSError as error:
            return f"the server can not be reached: {trouble(error)}"
        running = asyncio.create_task(session.run(), name="smpp session")
        try:
            refusal = await self._bind(session)
            if refusal:
                return refusal
            self._settle(session)
            return f"there is no connection: {await asyncio.shield(running)}"
        finally:
            running.cancel()
            await asyncio.wait({running})

    def _settle(self, result: Session | Failure) -> None:
        """Tell those who wait, and those who come."""
        assert self._attempt is not None
        if self._attempt.done():
            self._attempt = asyncio.get_running_loop().create_future()
        self._attempt.set_result(result)

    async def _connected(self) -> Session:
        account = self._account
        host, port = account.settings.server
        name = host if account.context else None
        reader, writer = await asyncio.open_connection(host, port, ssl=account.context, server_hostname=name)
        return Session(reader, writer, self._receipts, account.settings.keep_alive)

    async def _bind(self, session: Session) -> str:
        """Bind as a transceiver (section 4.1.5); why it was refused, or an empty text."""
        settings = self._account.settings
        try:
            async with asyncio.timeout(BIND_SECONDS):
                answer = await session.request(
                    "bind_transceiver",
                    system_id=settings.system_id,
                    password=self._account.password.reveal(),
                    system_type=settings.system_type,
                    address_range="",
                    addr_ton=0,
                    addr_npi=0,
                )
        except TimeoutError:
            return f"the server did not answer the bind within {BIND_SECONDS:g} s"
        except SessionEnded as ended:
            return f"the server did not answer the bind: {ended}"
        status = answer.header.status
        if not status and answer.header.command == "bind_transceiver_resp":
            return ""
        return f"the server refuses the bind: {meaning(status)}; look at {_settings_for(status)}"


def _settings_for(status: int) -> str:
    already_bound, system_type = 0x05, 0x53
    if status == already_bound:
        return "other programs that bind with this system_id"
    return "system_type" if status == system_type else "system_id and password_file"
