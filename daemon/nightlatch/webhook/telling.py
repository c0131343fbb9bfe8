"""Tells a receiver of one audit row after another.

MUST 1: nothing waits for a receiver, and nothing is kept for it: what it has not taken is in the audit, and
        the store knows how far it has come.
MUST 2: every wanted row is told at least once, in order, whatever ends or restarts meanwhile; and whenever it
        is told again, with the same id.
MUST 3: what is given up is in the log.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable
from nightlatch.webhook.bookmark import Bookmark
from nightlatch.webhook.post import Post
from nightlatch.webhook.target import body_of, identity_of

if TYPE_CHECKING:
    import structlog

    from nightlatch.model import AuditEvent, AuditRow
    from nightlatch.ports import Clock, Randomness
    from nightlatch.webhook.feed import AuditFeed, AuditStretch
    from nightlatch.webhook.target import WebhookTarget

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds after the first failure in a row; each further one doubles it."""
NOT_TAKEN_SECONDS = 3600.0
"""How long an event is sent that the receiver answers to, but does not take."""
TOO_OLD = 7 * 86_400.0
"""Seconds after which an event is told no more."""
POLL_SECONDS = 2.0
"""How often rows of other daemons are looked for."""
OTHERS_SECONDS = 5.0
"""How often a daemon looks whether it is to tell."""
RENEW_SECONDS = 10.0
HOLE_SECONDS = 30.0
"""How long a number that is missing is waited for: a daemon may be about to commit it."""
STRETCH, PAGE = 10_000, 100
CLOSING_SECONDS = 5.0


class Webhook:
    """Tells one address. Where daemons share a store, one of them tells for all."""

    def __init__(
        self,
        target: WebhookTarget,
        feed: AuditFeed,
        clock: Clock,
        randomness: Randomness,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._target = target
        self._choice = target.choice()
        self._feed = feed
        self._bookmark = Bookmark(feed, target.url, randomness.bytes(8).hex(), clock)
        self._post = Post(target, clock)
        self._clock = clock
        self._log = log
        self._after: int | None = None
        """Behind which row to go on; None while another daemon tells."""
        self._renew_at = 0.0
        self._hole: tuple[int, int, float] | None = None
        """Behind which number one is missing, up to where that was seen, and when."""
        self._news = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None
        self._sending = False
        self._closing = False
        self._trouble = ""

    def begin(self) -> None:
        """Tell from now on, in the loop that runs."""
        if self._telling is None and not self._closing:
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    def happened(self, event: AuditEvent, _seconds: float) -> None:
        """Look at once, where a wanted row was just written."""
        if self._target.name_of(event):
            self._news.set()

    async def close(self) -> None:
        """Tell no more: what is under way has a moment, and another daemon may go on at once."""
        self._closing = True
        if self._telling is not None:
            await asyncio.wait([self._telling], timeout=CLOSING_SECONDS if self._sending else 0)
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling
            self._telling = None
        after, self._after = self._after, None
        if after is not None:
            with suppress(Unavailable):
                await self._bookmark.let_go(after)

    async def _tell(self) -> None:
        while not self._closing:
            self._news.clear()
            try:
                pause = await self._round()
                self._trouble = ""
            except Unavailable as error:
                pause = self._waits(str(error))
            except Exception as error:  # noqa: BLE001, a mistake of ours must not end what is to come
                pause = self._waits(f"unexpected {type(error).__name__}")
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._news.wait()

    def _waits(self, reason: str) -> float:
        """Say once that nothing is told for now; for how long."""
        if reason != self._trouble:
            self._trouble = reason
            self._log.warning("webhook.waits", reason=reason)
        return OTHERS_SECONDS

    async def _round(self) -> float:
        """Tell of what there is, a page of it at most; for how long nothing is to be done then."""
        after = self._after
        if after is None or self._clock.steady() >= self._renew_at:
            after = await self._keep(after)
        if after is None:
            return OTHERS_SECONDS
        stretch = await self._feed.stretch(after, STRETCH)
        if 0 < after < stretch.oldest - 1:
            lost = f"the audit keeps nothing before row {stretch.oldest}, and row {after} was told last"
            self._log.error("webhook.lost", reason=lost)
            self._after = stretch.oldest - 1
            return 0
        upto = self._settled(stretch)
        rows = await self._feed.rows(self._choice, after, upto, PAGE)
        for row in rows:
            if not await self._deliver(row) or self._closing:
                return 0
        if len(rows) == PAGE:
            return 0
        self._after = max(upto, self._after or 0)
        return POLL_SECONDS if upto < after + STRETCH else 0

    async def _keep(self, after: int | None) -> int | None:
        self._after = await self._bookmark.keep(after)
        self._renew_at = self._clock.steady() + RENEW_SECONDS
        return self._after

    def _settled(self, stretch: AuditStretch) -> int:
        """Up to which row no other can still turn up."""
        now = self._clock.steady()
        if stretch.whole == stretch.last:
            self._hole = None
        elif self._hole is None or self._hole[0] != stretch.whole:
            self._hole = (stretch.whole, stretch.last, now)
        elif now - self._hole[2] >= HOLE_SECONDS:
            return self._hole[1]
        return stretch.whole

    async def _deliver(self, row: AuditRow) -> bool:
        """Send it until it is taken or given up; False where another daemon has to go on."""
        name = self._target.name_of(row.event)
        if not name:
            return True
        identity = identity_of(row)
        body = body_of(row, name, identity)
        began, pause = self._clock.steady(), FIRST_PAUSE
        while self._clock.now() - row.at < TOO_OLD:
            self._sending = True
            try:
                failure = await self._post.send(name, identity, body)
                if failure is None:
                    return await self._keep(row.id) is not None
            finally:
                self._sending = False
            self._log.warning("webhook.failed", webhook_event=name, id=identity, reason=failure.reason)
            if failure.of_this_event and self._clock.steady() - began >= NOT_TAKEN_SECONDS:
                break
            if not await self._rest(pause):
                return False
            pause = min(2 * pause, LONGEST_PAUSE)
        self._log.error("webhook.lost", webhook_event=name, id=identity, reason="it was not taken in time")
        return await self._keep(row.id) is not None

    async def _rest(self, seconds: float) -> bool:
        """Let time go by, and hold the bookmark meanwhile; False where it is lost."""
        while seconds > 0:
            await self._clock.sleep(min(seconds, RENEW_SECONDS))
            seconds -= RENEW_SECONDS
            if self._closing or await self._keep(self._after) is None:
                return False
        return True
