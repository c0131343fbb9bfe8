"""Tells a program of the administrators' what has happened: signed, by HTTPS, tried again until it is taken.

A request's body is JSON. ``Nightlatch-Signature: t=1700000000,v1=HEX`` is HMAC-SHA256 with the shared secret
over the time, a full stop, and the body as it is; a receiver that also looks at the time refuses repetitions.

MUST 1: nothing waits for a receiver: what happened is put into a queue in memory, which is bounded.
MUST 2: the certificate is checked, no redirect is followed, and nothing is taken from the environment.
MUST 3: what is lost is in the log. The audit has all of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import uuid
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

from nightlatch.model import Result

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    import structlog

    from nightlatch.model import AuditEvent, Secret
    from nightlatch.ports import Clock, Randomness

MOST_WAITING = 1000
"""Events that wait; beyond it new ones are lost."""
SECONDS = 10.0
"""How long a receiver may take for one."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds after the first failure in a row; each further one doubles it."""
GIVE_UP = 3600.0
"""Seconds after which an event is told no more."""
CLOSING_SECONDS = 5.0
FALLBACK = "login.fallback"
"""Somebody was let in by a recovery code, an emergency code or the like."""


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Who is told of what."""

    url: str
    secret: Secret
    events: tuple[str, ...]
    """Names, and beginnings of names that end in a full stop."""
    trust: ssl.SSLContext
    fallbacks: frozenset[str] = frozenset()
    """Factors whose use is told as `FALLBACK`."""

    def wants(self, name: str) -> bool:
        """Whether it is told of events of this name."""
        return any(name == one or (one.endswith(".") and name.startswith(one)) for one in self.events)


@dataclass(frozen=True, slots=True)
class _Waiting:
    name: str
    identity: str
    at: float
    body: bytes


class Webhook:
    """Sends one event after another, in their order."""

    def __init__(
        self, target: WebhookTarget, clock: Clock, randomness: Randomness, log: structlog.stdlib.BoundLogger
    ) -> None:
        self._target = target
        self._clock = clock
        self._randomness = randomness
        self._log = log
        self._queue: deque[_Waiting] = deque()
        self._sending: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many events wait."""
        return len(self._queue)

    def happened(self, event: AuditEvent, seconds: float) -> None:
        """Tell of an audit row, where it is wanted."""
        name = event.event
        if event.result is Result.GRANTED and event.factor in self._target.fallbacks:
            name = FALLBACK
        if not self._target.wants(name):
            return
        details: dict[str, object] = {
            "account": event.account_id,
            "user": event.user,
            "result": event.result.value,
            "reason": event.reason,
            "facts": event.facts,
            "service": event.service,
            "source": event.source,
            "factor": event.factor,
            "credential": event.credential_id,
            "caller": event.caller,
            "reference": event.reference,
        }
        if seconds:
            details["seconds"] = round(seconds)
        self.tell(name, {key: value for key, value in details.items() if value})

    def tell(self, name: str, details: Mapping[str, object]) -> None:
        """Queue an event, where it is wanted; returns at once."""
        if not self._target.wants(name):
            return
        if len(self._queue) >= MOST_WAITING:
            self._log.error("webhook.lost", webhook_event=name, reason=f"{MOST_WAITING} others wait")
            return
        now = self._clock.now()
        identity = str(uuid.UUID(bytes=self._randomness.bytes(16), version=4))
        time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        body = {"id": identity, "event": name, "time": time.replace("+00:00", "Z"), **details}
        self._queue.append(_Waiting(name, identity, now, json.dumps(body, ensure_ascii=False).encode()))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send_all())

    async def close(self) -> None:
        """Give what waits a last moment; what is lost then is in the log."""
        if self._sending is not None:
            await asyncio.wait([self._sending], timeout=CLOSING_SECONDS)
            self._sending.cancel()
            with suppress(asyncio.CancelledError):
                await self._sending
        for one in self._queue:
            self._log.error("webhook.lost", webhook_event=one.name, id=one.identity, reason="the daemon ends")

    async def _send_all(self) -> None:
        pause = FIRST_PAUSE
        while self._queue:
            one = self._queue[0]
            wrong = await self._try(one)
            if not wrong:
                self._queue.popleft()
                pause = FIRST_PAUSE
                continue
            self._log.warning("webhook.failed", webhook_event=one.name, id=one.identity, reason=wrong)
            if self._clock.now() - one.at >= GIVE_UP:
                self._queue.popleft()
                self._log.error("webhook.lost", webhook_event=one.name, id=one.identity, reason="too old")
                continue
            await self._clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _try(self, one: _Waiting) -> str:
        """Send it once; what went wrong, or nothing."""
        headers = {
            "Content-Type": "application/json",
            "Nightlatch-Event": one.name,
            "Nightlatch-Delivery": one.identity,
            "Nightlatch-Signature": signature(self._target.secret, int(self._clock.now()), one.body),
        }
        request = httpx.Request("POST", self._target.url, headers=headers, content=one.body)
        transport = httpx.AsyncHTTPTransport(verify=self._target.trust, trust_env=False)
        try:
            async with asyncio.timeout(SECONDS), transport:
                response = await transport.handle_async_request(request)
                await response.aclose()
        except TimeoutError:
            return f"no answer within {SECONDS:g} s"
        except (httpx.HTTPError, OSError) as error:
            return f"{type(error).__name__}: {error}"
        return "" if response.is_success else f"HTTP {response.status_code}"


def signature(secret: Secret, at: int, body: bytes) -> str:
    """The header by which a receiver knows us."""
    mac = hmac.new(secret.reveal().encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"
