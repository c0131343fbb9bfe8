"""Builds the webhook of a configuration, and lets it hear what only the log tells."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import structlog

from nightlatch.directories.build import read_password
from nightlatch.errors import ConfigError
from nightlatch.webhook import Webhook, WebhookTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from nightlatch.app.world import World
    from nightlatch.config.webhook import WebhookSettings
    from nightlatch.plugins.facade import FactorFacade

HEARD = frozenset({"directory.server_failed", "directory.server_works_again"})
"""Events of the log that belong to nobody's account."""


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
    return Webhook(target, world.clock, world.randomness, world.log)


class LogEar:
    """A logger that passes everything on, and tells the webhook of some of it. Called in any thread."""

    def __init__(self) -> None:
        self._tell: Callable[[str, dict[str, object]], None] = lambda _name, _details: None

    def attach(self, webhook: Webhook | None) -> None:
        """Tell this webhook from now on, in the loop that runs."""
        loop = asyncio.get_running_loop()
        if webhook is not None:

            def tell(name: str, details: dict[str, object]) -> None:
                loop.call_soon_threadsafe(webhook.tell, name, details)

            self._tell = tell

    def before(self, log: structlog.stdlib.BoundLogger) -> structlog.stdlib.BoundLogger:
        """The logger that is listened to, in front of `log`."""

        def hear(
            _logger: object, _method: str, event: MutableMapping[str, object]
        ) -> MutableMapping[str, object]:
            name = str(event.get("event"))
            if name in HEARD:
                self._tell(name, {key: str(value) for key, value in event.items() if key != "event"})
            return event

        made: structlog.stdlib.BoundLogger = structlog.wrap_logger(
            log, processors=[hear], wrapper_class=structlog.stdlib.BoundLogger
        )
        return made
