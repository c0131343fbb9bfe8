"""Builds the webhook of a configuration, and writes into the audit what only the log tells otherwise."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import structlog

from nightlatch.directories.build import read_password
from nightlatch.errors import ConfigError, Unavailable
from nightlatch.model import AuditEvent, Result
from nightlatch.webhook.target import WebhookTarget
from nightlatch.webhook.telling import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from nightlatch.app.world import World
    from nightlatch.config.webhook import WebhookSettings
    from nightlatch.plugins.facade import FactorFacade
    from nightlatch.ports import Store

HEARD = {
    "directory.server_failed": Result.UNAVAILABLE,
    "directory.server_works_again": Result.CHANGED,
}
"""Events of the log that belong to nobody's account, and what they are in the audit."""


def build_webhook(
    settings: WebhookSettings, factors: Mapping[str, FactorFacade], world: World
) -> Webhook | None:
    """The webhook; None where no address is set. Raises ConfigError."""
    if settings.url is None or settings.secret_file is None:
        return None
    secret = read_password(settings.secret_file)
    try:
        trust = ssl.create_default_context(cafile=settings.ca_file)
    except OSError:  # ssl.SSLError is one
        raise ConfigError((f"webhook.ca_file: {settings.ca_file} is of no use.",)) from None
    trust.minimum_version = ssl.TLSVersion.TLSv1_2
    fallbacks = frozenset(name for name, one in factors.items() if one.plugin.last_resort or one.plugin.told)
    target = WebhookTarget(settings.url, secret, settings.events, trust, fallbacks)
    return Webhook(target, world.audit.feed, world.clock, world.randomness, world.log)


class LogEar:
    """A logger that passes everything on, and writes some of it into the audit. Called in any thread."""

    def __init__(self) -> None:
        self._write: Callable[[AuditEvent], None] = lambda _event: None

    def attach(self, store: Store) -> None:
        """Write into this audit from now on, in the loop that runs."""
        loop = asyncio.get_running_loop()
        under_way: set[asyncio.Task[None]] = set()

        async def record(event: AuditEvent) -> None:
            try:
                await store.record(event)
            except Unavailable:
                return  # the log has it

        def begin(event: AuditEvent) -> None:
            task = loop.create_task(record(event))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

        def write(event: AuditEvent) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(begin, event)

        self._write = write

    def before(self, log: structlog.stdlib.BoundLogger) -> structlog.stdlib.BoundLogger:
        """The logger that is listened to, in front of `log`."""

        def hear(
            _logger: object, _method: str, event: MutableMapping[str, object]
        ) -> MutableMapping[str, object]:
            name = str(event.get("event"))
            if name in HEARD:
                reason = " ".join(
                    str(event[key]) for key in ("directory", "server", "reason") if event.get(key)
                )
                self._write(AuditEvent(name, HEARD[name], reason, ""))
            return event

        made: structlog.stdlib.BoundLogger = structlog.wrap_logger(
            log, processors=[hear], wrapper_class=structlog.stdlib.BoundLogger
        )
        return made
