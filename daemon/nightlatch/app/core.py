"""The parts that a reload replaces: directories, factors, policy, and what works with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.announcing import AnnouncedStore
from nightlatch.app.actions import ScopedActions
from nightlatch.app.role_rights import role_groups
from nightlatch.app.rules import build_policy
from nightlatch.app.webhook import LogEar, build_webhook
from nightlatch.deliveries import Deliveries
from nightlatch.directories.build import build_directory
from nightlatch.errors import ConfigError
from nightlatch.keys import MasterKey, Sealer
from nightlatch.login.accounts import Accounts
from nightlatch.login.parts import Parts
from nightlatch.login.receipt import Receipts
from nightlatch.login.ticket import Tickets
from nightlatch.notices import Notices
from nightlatch.plugins.loader import load_plugins
from nightlatch.review import Review
from nightlatch.sending import Sender, SendingLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    import structlog

    from nightlatch.app.audit_heads import KeptHeads
    from nightlatch.app.worker import WorkerLink
    from nightlatch.config import Config
    from nightlatch.config.sending import SendingSettings
    from nightlatch.plugins.channel_facade import ChannelFacade
    from nightlatch.plugins.facade import FactorFacade
    from nightlatch.ports import AuditLog, Clock, Directory, Randomness, Store
    from nightlatch.telemetry.telemetry import Telemetry
    from nightlatch.webhook import Webhook


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit, to be read, and the heads of it that are kept beside the database."""

    log: AuditLog
    heads: KeptHeads


@dataclass(frozen=True, slots=True)
class World:
    """What stays when a configuration is replaced."""

    store: Store
    key: MasterKey
    clock: Clock
    randomness: Randomness
    log: structlog.stdlib.BoundLogger
    telemetry: Telemetry
    audit: Audit
    worker: WorkerLink | None = None
    """Where this process is one of several workers."""


@dataclass(frozen=True, slots=True)
class Core:
    """One configuration, built."""

    config: Config
    scoped: ScopedActions
    review: Review
    directories: tuple[Directory, ...]
    factors: Mapping[str, FactorFacade]
    channels: Mapping[str, ChannelFacade]
    notices: Notices
    deliveries: Deliveries
    receipts: Receipts
    webhook: Webhook | None
    ear: LogEar

    def begin(self) -> None:
        """The loop runs: let the webhook hear of what threads log, and of this configuration."""
        self.ear.attach(self.webhook)

    def tell(self, name: str, details: Mapping[str, object]) -> None:
        """Tell the webhook, if there is one."""
        if self.webhook is not None:
            self.webhook.tell(name, details)

    async def close(self) -> None:
        """Let go of the directories and channels, after the notices under way."""
        await self.notices.close()
        for channel in self.channels.values():
            await channel.close()
        await self.deliveries.close()
        for directory in self.directories:
            await directory.close()
        if self.webhook is not None:
            await self.webhook.close()


def build_core(config: Config, world: World) -> Core:
    """Build a configuration's parts; raises ConfigError with every problem."""
    plugins = load_plugins(config.plugins.enabled, config.factors, config.channels)
    ear = LogEar()
    log = ear.before(world.log)
    directories = []
    problems: list[str] = []
    for settings in config.directories:
        try:
            made = build_directory(settings, log, world.clock, world.randomness, world.telemetry)
            directories.append(made)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(tuple(problems))
    store = AnnouncedStore(world.store, world.log)
    deliveries = Deliveries(store, world.clock, world.log)
    for channel in plugins.channels.values():
        channel.report_to(deliveries.take)
    sender = Sender(
        plugins.channels,
        store,
        world.clock,
        world.key.derive("addresses"),
        world.log,
        ceilings=_ceilings(config.sending),
        language=config.sending.language,
        deliveries=deliveries,
        watcher=world.telemetry,
    )
    helps = config.notices.model_dump()
    notices = Notices(sender, plugins.factors, store, world.clock, world.log, helps=helps)
    store.listen(notices)
    webhook = build_webhook(config.webhook, plugins.factors, world)
    if webhook is not None:
        store.listen(webhook)
    parts = Parts(
        accounts=Accounts(directories),
        factors=plugins.factors,
        policy=build_policy(config, frozenset(plugins.factors)),
        store=store,
        tickets=Tickets(Sealer(world.key.derive("login ticket"), world.randomness), world.randomness),
        sender=sender,
        notices=notices,
        clock=world.clock,
        randomness=world.randomness,
        name_key=world.key.derive("unknown names"),
        log=world.log,
        watcher=world.telemetry,
    )
    applications = config.listeners.applications
    issuer = applications.issuer if applications else "nightlatch"
    receipts = Receipts(world.key.derive("receipts"), issuer, world.clock, world.randomness)
    return Core(
        config,
        ScopedActions(
            parts, tuple(directories), plugins.channels, world.key, receipts, roles=role_groups(config)
        ),
        Review(parts, directories),
        tuple(directories),
        plugins.factors,
        plugins.channels,
        notices,
        deliveries,
        receipts,
        webhook,
        ear,
    )


def _ceilings(sending: SendingSettings) -> SendingLimits:
    return SendingLimits(sending.per_prefix_hour, sending.in_all_hour, sending.prefixes, sending.domains)
