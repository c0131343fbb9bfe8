"""Fakes of what the core needs from outside, and a core built on them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import structlog

from nightlatch.channel import ChannelPlugin
from nightlatch.enrollment import Invites
from nightlatch.errors import Invalid, Refused, Unavailable
from nightlatch.factor import Medium, Settings
from nightlatch.keys import Sealer
from nightlatch.login.accounts import Accounts
from nightlatch.login.engine import LoginEngine
from nightlatch.login.parts import Parts
from nightlatch.login.ticket import Tickets
from nightlatch.model import (
    AuditEvent,
    Changes,
    Credential,
    DecisionRequest,
    LimitState,
    Snapshot,
    Standing,
)
from nightlatch.notices import Notices
from nightlatch.onboarding import Dialogue
from nightlatch.plugins.channel_facade import ChannelFacade
from nightlatch.plugins.facade import FactorFacade
from nightlatch.policy.policy import Policy
from nightlatch.sending import Sender
from nightlatch.store.patience import Patience
from testbed.fake_directory import ALICE, FakeDirectory
from testbed.word_factors import PLUGINS, Post, SentFactor, WordFactor, word_plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.policy.model import Rule

# Those of other modules; what is made here is exported anyway.
__all__ = ["ALICE", "PLUGINS", "FakeDirectory", "SentFactor", "WordFactor", "word_plugin"]
T = TypeVar("T")


class FakeClock:
    """Time that moves when a test says so, or somebody sleeps."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def steady(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


class CountingRandomness:
    """Bytes that never repeat, and are the same in every run."""

    def __init__(self) -> None:
        self.count = 0

    def bytes(self, count: int) -> bytes:
        self.count += 1
        return self.count.to_bytes(8).rjust(count, b"\x17")[:count] if count > 8 else bytes(count)


class MemoryStore:
    """The store's contract in a dictionary: one decision after another, all of it or nothing."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.patience = Patience()
        self.limits: dict[str, LimitState] = defaultdict(LimitState)
        self.held: dict[str, dict[str, Credential]] = defaultdict(dict)
        self.stood: dict[str, Standing] = {}
        self.spent: dict[str, str] = {}
        """By key, what was remembered with it."""
        self.marks: dict[str, str] = {}
        self.events: list[AuditEvent] = []
        self.away = False

    async def decide(self, request: DecisionRequest, body: Callable[[Snapshot], tuple[Changes, T]]) -> T:
        return await self.patience.decide(request.account_id, lambda: self._decide(request, body))

    async def _decide(self, request: DecisionRequest, body: Callable[[Snapshot], tuple[Changes, T]]) -> T:
        self._there()
        snapshot = Snapshot(
            now=self.clock.now(),
            limits={scope: self.limits[scope] for scope in request.scopes},
            credentials=self._unexpired(request.account_id),
            spent=request.spend_key in self.spent,
            spent_value=self.spent.get(request.spend_key, ""),
            standing=self.stood.get(request.account_id, Standing()) if request.standing else Standing(),
            mark=self.marks.get(request.mark, ""),
        )
        changes, result = body(snapshot)
        if changes.standing is not None and not request.standing:
            raise Invalid("a decision changes a standing that it did not ask for")
        if changes.mark is not None and not request.mark:
            raise Invalid("a decision changes a mark that it did not ask for")
        if changes.spend and snapshot.spent:
            raise Refused("the one-time key was spent before")
        self.limits.update(changes.limits)
        for credential in changes.put:
            self.held[request.account_id][credential.id] = credential
        for identity in changes.removed:
            del self.held[request.account_id][identity]
        if changes.spend:
            self.spent[request.spend_key] = changes.spent_value
        if changes.standing is not None:
            self.stood[request.account_id] = changes.standing
        if changes.mark is not None:
            self.marks[request.mark] = changes.mark
        self.events += changes.events
        return result

    async def credentials(self, account_id: str) -> tuple[Credential, ...]:
        self._there()
        return self._unexpired(account_id)

    async def standing(self, account_id: str) -> Standing:
        self._there()
        return self.stood.get(account_id, Standing())

    async def mark(self, name: str) -> str:
        self._there()
        return self.marks.get(name, "")

    async def audit_rows(self, account_id: str | None, limit: int) -> tuple[tuple[float, AuditEvent], ...]:
        self._there()
        found = [one for one in self.events if account_id in {None, one.account_id}]
        return tuple((self.clock.now(), one) for one in reversed(found[-limit:]))

    async def enrolled(self) -> dict[str, tuple[str, ...]]:
        self._there()
        found = {
            account: tuple(one.factor for one in self._unexpired(account)) for account in list(self.held)
        }
        return {account: factors for account, factors in found.items() if factors}

    async def standings(self) -> dict[str, Standing]:
        self._there()
        return dict(self.stood)

    async def record(self, event: AuditEvent) -> None:
        self._there()
        self.events.append(event)

    async def health(self) -> str:
        self._there()
        return "fine"

    async def close(self) -> None: ...

    def _unexpired(self, account_id: str) -> tuple[Credential, ...]:
        now = self.clock.now()
        held = self.held[account_id].values()
        return tuple(one for one in held if one.expires_at is None or now < one.expires_at)

    def _there(self) -> None:
        if self.away:
            raise Unavailable("store", "is away")


class World:
    """An engine on fakes, with alice and her credential."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.randomness = CountingRandomness()
        self.directory = FakeDirectory()
        self.store = MemoryStore(self.clock)
        key = b"k" * 32
        log = structlog.get_logger()
        self.post = Post()
        factors = {
            plugin.name: FactorFacade(plugin, plugin.build(Settings()), self.clock.steady)
            for plugin in PLUGINS
        }
        kind = ChannelPlugin("post", Medium.PHONE, Settings, lambda _settings: self.post)
        channels = {"post": ChannelFacade("post", kind, self.post, self.clock.steady)}
        sender = Sender(channels, self.store, self.clock, key, log)
        self.parts = Parts(
            accounts=Accounts((self.directory,)),
            factors=factors,
            policy=Policy((), frozenset(factors)),
            store=self.store,
            tickets=Tickets(Sealer(key, self.randomness), self.randomness),
            sender=sender,
            notices=Notices(sender, factors, self.store, self.clock, log),
            clock=self.clock,
            randomness=self.randomness,
            name_key=b"n" * 32,
            log=log,
        )
        self.give("c1")

    @property
    def engine(self) -> LoginEngine:
        """An engine that keeps nothing from the one before: as after a restart."""
        return LoginEngine(self.parts, Dialogue(self.parts, self.invites))

    @property
    def invites(self) -> Invites:
        """Invites under a key of their own."""
        return Invites(self.parts, b"i" * 32)

    def give(
        self, identity: str, factor: str = "word", label: str = "phone", used: float | None = None
    ) -> None:
        """Enrol alice with the word "word"."""
        credential = Credential(ALICE.id, identity, factor, label, b"word", self.clock.now(), used)
        self.store.held[ALICE.id][identity] = credential

    def rules(self, *rules: Rule) -> None:
        """Replace the policy."""
        self.parts = replace(self.parts, policy=Policy(rules, frozenset(self.parts.factors)))
