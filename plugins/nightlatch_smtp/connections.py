"""A few connections to one server, kept for a while: a login over TLS takes longer than a message.

MUST 1: a message is given to one connection at most, once it was named the address: only a kept connection
        that fails before that is replaced by a new one.
MUST 2: no more connections than allowed, and none that is kept for ever.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiosmtplib import SMTPAuthenticationError, SMTPException, SMTPResponseException, SMTPServerDisconnected

from nightlatch_smtp.session import Session

if TYPE_CHECKING:
    from nightlatch_smtp.accounts import Account
    from nightlatch_smtp.mail import Mail
    from nightlatch_smtp.session import Server
    from nightlatch_smtp.trace import Trace

KEPT_SECONDS = 20.0
"""Servers close idle connections after a minute or more; Postfix after 300 s, and 10 s when it is busy."""
STALE_SECONDS = 2.0
"""How long a kept connection may take for its first answer, before a new one is tried."""
LEAVE_SECONDS = 1.0
_CLOSING = 421
_PERMANENT = 500


class Connections:
    """All connections of a channel."""

    def __init__(self, server: Server, account: Account, most: int) -> None:
        self._server = server
        self._account = account
        self._room = asyncio.Semaphore(most)
        self._kept: list[Session] = []

    async def deliver(self, mail: Mail, trace: Trace) -> str:
        """Give `mail` to the server; returns its answer. Raises SMTPException, OSError, NotSent."""
        async with self._room:
            session = await self._begun(mail, trace)
            try:
                answer = await session.deliver(mail)
            except BaseException:
                session.drop()
                raise
            self._keep(session)
            return answer

    async def close(self) -> None:
        """Take leave of the server on all kept connections."""
        leaving, self._kept = self._kept, []
        await asyncio.gather(*(_leave(session) for session in leaving))

    async def _begun(self, mail: Mail, trace: Trace) -> Session:
        """A session in which the message's sender was named."""
        while self._kept:
            session = self._kept.pop()
            trace.session = session
            try:
                async with asyncio.timeout(STALE_SECONDS):
                    await session.name_sender(mail)
            except (SMTPServerDisconnected, OSError):
                session.drop()
            except SMTPResponseException as error:
                session.drop()
                if error.code != _CLOSING:
                    raise
            except BaseException:
                session.drop()
                raise
            else:
                return self._taken(session)
        return await self._fresh(mail, trace)

    async def _fresh(self, mail: Mail, trace: Trace) -> Session:
        secret = await trace.secret(self._account)
        try:
            return await self._opened(mail, trace, secret.text)
        except SMTPAuthenticationError as error:
            if secret.fresh or error.code < _PERMANENT:
                raise
        secret = await trace.secret(self._account, instead_of=secret.text)
        return await self._opened(mail, trace, secret.text)

    async def _opened(self, mail: Mail, trace: Trace, secret: str) -> Session:
        trace.session = session = Session(self._server)
        try:
            await session.open()
            await self._account.log_in(session.client, secret)
            await session.name_sender(mail)
        except BaseException:
            session.drop()
            raise
        return session

    def _keep(self, session: Session) -> None:
        session.expiry = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._expire, session)
        self._kept.append(session)

    def _taken(self, session: Session) -> Session:
        if session.expiry is not None:
            session.expiry.cancel()
        return session

    def _expire(self, session: Session) -> None:
        if session in self._kept:
            self._kept.remove(session)
        session.drop()


async def _leave(session: Session) -> None:
    try:
        async with asyncio.timeout(LEAVE_SECONDS):
            await session.quit()
    except (SMTPException, OSError):
        return
    finally:
        session.drop()
