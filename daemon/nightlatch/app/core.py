"""The parts that a reload replaces: directories, factors, policy, and what works with them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.announcing import AnnouncedStore
from nightlatch.app.actions import ScopedActions
from nightlatch.app.role_rights import role_groups
from nightlatch.app.rules import build_policy
from nightlatch.app.webhook import LogEar, build_webhook
from nightlatch.channel import Medium
from nightlatch.deliveries import Deliveries
from nightlatch.directories.build import build_directory
from nightlatch.errors import ConfigError
from nightlatch.keys import Sealer
from nightlatch.login.accounts import Accounts
from nightlatch.login.parts import Parts
from nightlatch.login.receipt import Receipts
from nightlatch.login.ticket import Tickets
from nightlatch.notices import DirectoryMail, Notices
from nightlatch.plugins.loader import load_plugins
from nightlatch.review import Review
from nightlatch.sending import Sender, SendingLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    import structlog

    from nightlatch.app.world import World
    from nightlatch.config import Config
    from nightlatch.config.sending import SendingSettings
    from nightlatch.model import Account
    from nightlatch.plugins.channel_facade import ChannelFacade
    from nightlatch.plugins.facade import FactorFacade
    from nightlatch.ports import Directory
    from nightlatch.webhook.telling import Webhook


@dataclass(frozen=True, slots=True)
class Core:
    """One configuration, built."""

    config: Config
    store: AnnouncedStore
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
        """The loop runs: write into the audit what threads log of directories."""
        self.ear.attach(self.store)

    def serve(self) -> None:
        """It is this configuration that counts: tell the receiver of the webhook, if there is one."""
        if self.webhook is not None:
            self.webhook.begin()

    async def hand_over(self) -> None:
        """Another configuration counts: leave the webhook to it."""
        if self.webhook is not None:
            await self.webhook.close()

    async def close(self) -> None:
        """Let go of the directories and channels, after the messages, notices and events under way."""
        await asyncio.gather(self.scoped.close(), self.notices.close(), self.hand_over())
        for channel in self.channels.values():
            await channel.close()
        await self.deliveries.close()
        for directory in self.directories:
            await directory.close()


def build_core(config: Config, world: World) -> Core:
    """Build a configuration's parts; raises ConfigError with every problem."""
    plugins = load_plugins(config.plugins.enabled, config.factors, config.channels)
    ear = LogEar()
    directories = _directories(config, world, ear.before(world.log))
    store = AnnouncedStore(world.store, world.log)
    deliveries = Deliveries(store, world.clock, world.log)
    sender = _sender(config.sending, world, plugins.channels, store, deliveries)
    accounts = Accounts(directories)
    notices = Notices(
        sender,
        plugins.factors,
        store,
        world.clock,
        world.log,
        helps=config.notices.model_dump(include={"help_url", "help_phone"}),
        directory_mail=_directory_mail(config, accounts, plugins.channels),
    )
    store.listen(notices)
    webhook = build_webhook(config.webhook, plugins.factors, world)
    if webhook is not None:
        store.listen(webhook)
    parts = Parts(
        accounts=accounts,
        factors=plugins.factors,
        policy=build_policy(config, frozenset(plugins.factors)),
        store=store,
        tickets=Tickets(Sealer(world.passing_key.derive("login ticket"), world.randomness), world.randomness),
        sender=sender,
        notices=notices,
        clock=world.clock,
        randomness=world.randomness,
        name_key=world.key.derive("unknown names"),
        log=world.log,
        watcher=world.telemetry,
    )
    receipts = _receipts(config, world)
    roles = role_groups(config)
    return Core(
        config,
        store,
        ScopedActions(parts, directories, plugins.channels, world.passing_key, receipts, roles=roles),
        Review(parts, directories),
        directories,
        plugins.factors,
        plugins.channels,
        notices,
        deliveries,
        receipts,
        webhook,
        ear,
    )


def _directories(config: Config, world: World, log: structlog.stdlib.BoundLogger) -> tuple[Directory, ...]:
    directories: list[Directory] = []
    problems: list[str] = []
    for settings in config.directories:
        try:
            directories.append(build_directory(settings, log, world.clock, world.randomness, world.telemetry))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(tuple(problems))
    return tuple(directories)


def _directory_mail(
    config: Config, accounts: Accounts, channels: Mapping[str, ChannelFacade]
) -> DirectoryMail | None:
    if not config.notices.directory_mail:
        return None

    async def find(directory: str, name: str) -> Account | None:
        return await accounts.directory(directory).find(name)

    mailboxes = tuple(name for name, one in channels.items() if one.medium is Medium.MAILBOX)
    return DirectoryMail(find, mailboxes)


def _sender(
    settings: SendingSettings,
    world: World,
    channels: Mapping[str, ChannelFacade],
    store: AnnouncedStore,
    deliveries: Deliveries,
) -> Sender:
    for channel in channels.values():
        channel.report_to(deliveries.take)
    return Sender(
        channels,
        store,
        world.clock,
        world.key.derive("addresses"),
        world.log,
        ceilings=SendingLimits(
            settings.per_prefix_hour, settings.in_all_hour, settings.prefixes, settings.domains
        ),
        language=settings.language,
        deliveries=deliveries,
        watcher=world.telemetry,
    )


def _receipts(config: Config, world: World) -> Receipts:
    applications = config.listeners.applications
    issuer = applications.issuer if applications else "nightlatch"
    return Receipts(world.receipt_keys, issuer, world.clock, world.randomness)
