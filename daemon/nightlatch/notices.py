"""Tells people what changed on their account: at every proven address, and at the directory's mail address.

MUST 1: a notice never stops or delays what it tells of: it goes out afterwards, by itself, and its failure is
        in the log and the audit.
MUST 2: the address that is being added is not told.
MUST 3: a notice has no secret in it: the directory's address is proven by nobody.
"""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nightlatch.announcing import LOCK
from nightlatch.channel import Message, NotSent
from nightlatch.errors import NightlatchError, Unavailable
from nightlatch.factor import Reach
from nightlatch.model import Contact, Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import structlog

    from nightlatch.model import Account, AuditEvent, Credential
    from nightlatch.plugins.facade import FactorFacade
    from nightlatch.ports import Clock, Store
    from nightlatch.sending import Sender

SECONDS = 30.0
CLOSING_SECONDS = 5.0
MOST_UNDER_WAY = 1000
"""Notices that wait for their providers; beyond it they are dropped, and the log says so."""
_MAILBOX = re.compile(r"[!-?A-~]{1,64}@[0-9A-Za-z.-]{1,189}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DirectoryMail:
    """How people are reached whom their directory gives a mail address."""

    find: Callable[[str, str], Awaitable[Account | None]]
    """The account of a name in a directory of a name, as it is now; raises NightlatchError."""
    channels: tuple[str, ...]
    """Those that take mailboxes, the first choice first."""

    async def contact(self, event: AuditEvent) -> Contact:
        """What the directory says of the event's account; raises NightlatchError."""
        account = await self.find(event.account_id.partition(":")[0], event.user)
        return account.contact if account is not None and account.id == event.account_id else Contact()

    def reach(self, contact: Contact) -> Reach | None:
        """Where its first mail address is; None for none, and for what is no plain address."""
        plain = [one for one in contact.mails[:1] if _MAILBOX.fullmatch(one)]
        return Reach(self.channels, plain[0]) if plain and self.channels else None


class Notices:
    """Sends notices in the background."""

    def __init__(
        self,
        sender: Sender,
        factors: Mapping[str, FactorFacade],
        store: Store,
        clock: Clock,
        log: structlog.stdlib.BoundLogger,
        *,
        helps: Mapping[str, str] | None = None,
        directory_mail: DirectoryMail | None = None,
    ) -> None:
        """`helps` says in each notice where help is: `help_url`, `help_phone`."""
        self._sender = sender
        self._factors = factors
        self._store = store
        self._clock = clock
        self._log = log
        self._helps = helps or {}
        self._directory_mail = directory_mail
        self._under_way: set[asyncio.Task[None]] = set()

    def tell(
        self,
        template: str,
        event: AuditEvent,
        label: str = "",
        more: Mapping[str, str] | None = None,
        gone: tuple[Credential, ...] = (),
    ) -> None:
        """Tell the event's account, everywhere but at the credential that the event names.

        `more` are further values of the template, such as `days` and `left`; `gone` are credentials that have
        just ended: whoever had them is told there, too.
        """
        if len(self._under_way) >= MOST_UNDER_WAY:
            self._log.error("notice.dropped", template=template, account=event.account_id)
            return
        values = {
            **self._helps,
            **(more or {}),
            "user": event.user,
            "service": event.service,
            "label": label,
            "device": label,
        }
        values["time"] = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%d %H:%M UTC")
        told = replace(event, event="message.send", result=Result.PASSED, reason="", facts="")
        task = asyncio.get_running_loop().create_task(self._tell(Message(template, values), told, gone))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def happened(self, event: AuditEvent, seconds: float) -> None:
        """Tell of what nobody else tells of: a second factor was just blocked, for `seconds`, 0 for good."""
        if event.event == LOCK:
            minutes = {"minutes": str(math.ceil(seconds / 60))} if seconds else {}
            self.tell("notice_account_locked", event, more=minutes)

    async def close(self) -> None:
        """Wait for the notices under way, for a bounded time."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=CLOSING_SECONDS)

    async def _tell(self, message: Message, event: AuditEvent, gone: tuple[Credential, ...]) -> None:
        try:
            credentials = await self._store.credentials(event.account_id)
        except Unavailable as error:
            self._log.error("notice.not_sent", template=message.template, reason=str(error))
            return
        reached = {self._reach(one) for one in credentials if one.id != event.credential_id}
        reached |= {self._reach(one) for one in gone}
        proven = {one for one in reached if one is not None}
        new = {self._reach(one) for one in credentials if one.id == event.credential_id} - {None}
        contact, unproven = await self._in_directory(message, event)
        event = event if event.language else replace(event, language=contact.language)
        known = {one.address.casefold() for one in (*proven, *new) if one is not None}
        if unproven is not None and unproven.address.casefold() not in known:
            proven.add(unproven)
        for reach in proven:
            try:
                await self._sender.deliver(event, reach, message, SECONDS)
            except NotSent as error:
                self._log.warning("notice.not_sent", template=message.template, reason=error.reason)

    async def _in_directory(self, message: Message, event: AuditEvent) -> tuple[Contact, Reach | None]:
        """What the directory says of the person, and where that reaches them."""
        if self._directory_mail is None or not event.user:
            return Contact(), None
        try:
            contact = await self._directory_mail.contact(event)
        except NightlatchError as error:
            self._log.warning("notice.not_sent", template=message.template, reason=str(error))
            return Contact(), None
        return contact, self._directory_mail.reach(contact)

    def _reach(self, credential: Credential) -> Reach | None:
        facade = self._factors.get(credential.factor)
        return facade.reach(credential.state) if facade else None
