"""Tells people what changed on their account, at every address that is proven, but the one being added.

MUST 1: a notice never stops or delays what it tells of: it goes out afterwards, by itself, and its failure is
        in the log and the audit.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nightlatch.announcing import LOCK
from nightlatch.channel import Message, NotSent
from nightlatch.errors import Unavailable
from nightlatch.model import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    import structlog

    from nightlatch.factor import Reach
    from nightlatch.model import AuditEvent, Credential
    from nightlatch.plugins.facade import FactorFacade
    from nightlatch.ports import Clock, Store
    from nightlatch.sending import Sender

SECONDS = 30.0
CLOSING_SECONDS = 5.0
MOST_UNDER_WAY = 1000
"""Notices that wait for their providers; beyond it they are dropped, and the log says so."""


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
    ) -> None:
        """`helps` says in each notice where help is: `help_url`, `help_phone`."""
        self._sender = sender
        self._factors = factors
        self._store = store
        self._clock = clock
        self._log = log
        self._helps = helps or {}
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
        for reach in reached - {None}:
            assert reach is not None
            try:
                await self._sender.deliver(event, reach, message, SECONDS)
            except NotSent as error:
                self._log.warning("notice.not_sent", template=message.template, reason=error.reason)

    def _reach(self, credential: Credential) -> Reach | None:
        facade = self._factors.get(credential.factor)
        return facade.reach(credential.state) if facade else None
