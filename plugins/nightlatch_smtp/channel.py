"""The channel: one message, one address, once, within its deadline.

MUST 1: an address that is not one plain mailbox is refused before anything is connected (OOB-05).
MUST 2: every failure is a NotSent; what lies under it is neither chained nor logged: it may hold a code.
"""

from __future__ import annotations

import asyncio
import re
import socket
import time
from datetime import UTC, datetime
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING

from aiosmtplib import SMTPException

from nightlatch.channel import NotSent, Receipt
from nightlatch_messages import Words, WrongMessage
from nightlatch_smtp.accounts import NoAccount, PasswordAccount, TokenAccount
from nightlatch_smtp.address import is_mailbox
from nightlatch_smtp.connections import Connections
from nightlatch_smtp.mail import Sender, composed
from nightlatch_smtp.provider_words import said
from nightlatch_smtp.refusals import not_sent
from nightlatch_smtp.session import Server
from nightlatch_smtp.settings import SmtpSettings
from nightlatch_smtp.tls import client_context
from nightlatch_smtp.tokens import Tokens
from nightlatch_smtp.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.channel import Message, Settings
    from nightlatch_smtp.accounts import Account

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_LONGEST_ID = 120
_SHARE = 0.97
"""Of the deadline: the rest is for telling how far it got before the caller gives up."""


class SmtpChannel:
    """Sends email through one submission server. `clock` gives Unix seconds."""

    def __init__(
        self, connections: Connections, words: Words, sender: Sender, clock: Callable[[], float]
    ) -> None:
        self._connections = connections
        self._words = words
        self._sender = sender
        self._clock = clock

    async def send(self, address: str, message: Message, deadline: float) -> Receipt:
        """Deliver within `deadline` seconds; raises NotSent."""
        if not is_mailbox(address):
            raise NotSent("this is not one plain email address in ASCII", permanent=True)
        try:
            words = self._words.email(message)
        except WrongMessage as error:
            raise NotSent(str(error), permanent=True) from None
        date = format_datetime(datetime.fromtimestamp(self._clock(), UTC))
        message_id = make_msgid(domain=self._sender.address.partition("@")[2])
        mail = composed(words, self._sender, address, date, message_id)
        trace = Trace([address, *map(str, message.values.values())])
        try:
            async with asyncio.timeout(deadline * _SHARE):
                answer = await self._connections.deliver(mail, trace)
        except (SMTPException, OSError, ValueError) as error:
            raise not_sent(error, trace) from None
        return Receipt(said(answer, trace.hidden)[:_LONGEST_ID])

    async def close(self) -> None:
        """Let go of connections."""
        await self._connections.close()


def build(settings: Settings) -> SmtpChannel:
    """The channel of checked settings. Connects to nothing."""
    assert isinstance(settings, SmtpSettings)
    return built(settings, time.time)  # noqa: TID251, the contract gives a channel no clock


def built(settings: SmtpSettings, clock: Callable[[], float]) -> SmtpChannel:
    """The channel, with its clock."""
    assert settings.server_host is not None
    server = Server(
        host=settings.server_host,
        port=settings.server_port,
        context=client_context(settings.ca_file),
        tls_at_once=settings.security == "tls",
        hello=settings.hello or _own_name(),
    )
    connections = Connections(server, _account(settings, clock), settings.most_connections)
    sender = Sender(settings.from_address, settings.from_name, settings.reply_to or "")
    return SmtpChannel(connections, Words(settings.templates_dir), sender, clock)


def _account(settings: SmtpSettings, clock: Callable[[], float]) -> Account:
    if settings.username is None:
        return NoAccount()
    if settings.oauth2 is not None:
        return TokenAccount(settings.username, Tokens(settings.oauth2, settings.username, clock))
    assert settings.password_file is not None
    return PasswordAccount(settings.username, settings.password_file)


def _own_name() -> str:
    name = socket.gethostname()
    return name if _HOST_NAME.fullmatch(name) else "localhost"
