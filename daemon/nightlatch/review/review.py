"""Reviews policy with what directories and store say: one login, or everyone, under one policy or two.

MUST 1: whoever signs in meanwhile is not held up: the work is done in slices, others' turns between them.
MUST 2: a part of the people is never taken for all: what could not be read is Unavailable.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.errors import NotFound, Unavailable
from nightlatch.login.requirement import Requirements
from nightlatch.model import Groups
from nightlatch.policy.model import EVERYONE
from nightlatch.review.census import Census
from nightlatch.review.explain import explained
from nightlatch.review.model import Explanation, FactorTraits, Outlook, Prospects
from nightlatch.review.people import Judging
from nightlatch.review.places import places_of
from nightlatch.review.plan import changed
from nightlatch.review.prospect import Holdings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence

    from nightlatch.login.parts import Parts
    from nightlatch.policy.model import LoginFacts
    from nightlatch.policy.policy import Policy
    from nightlatch.ports import Directory
    from nightlatch.review.census import Counted
    from nightlatch.review.model import Changed

SLICE_SECONDS = 0.001
"""How long one stretch of judging may keep everybody else waiting."""


class Review:
    """Reviews the policy of one configuration."""

    def __init__(self, parts: Parts, directories: Sequence[Directory]) -> None:
        self._parts = parts
        self._directories = directories
        self._requirements = Requirements(parts)
        self._traits = {name: FactorTraits.of(facade.plugin) for name, facade in parts.factors.items()}

    async def explain(
        self, user: str, service: str, source: str, client: str, at: float | None = None
    ) -> Explanation:
        """What decides on a login by this name, now or `at` a time (Unix seconds).

        Raises NotFound, Unavailable; groups that can not be read are explained, not raised.
        """
        account = await self._parts.accounts.get(user)
        facts = await self._requirements.facts(account, service, source, client)
        groups, why = await self._groups(facts)
        facts = facts if at is None else _moved(facts, at)
        credentials = await self._parts.store.credentials(account.id)
        standing = await self._parts.store.standing(account.id)
        holdings = Holdings(tuple(one.factor for one in credentials), standing, facts.now)
        rules, prospect = explained(self._parts.policy, facts, holdings, self._traits)
        if standing.disabled_at is not None:
            prospect = replace(prospect, outlook=Outlook.DISABLED, because="an administrator keeps it out")
        return Explanation(facts, rules, prospect, standing, groups, why)

    async def report(
        self, service: str = "", client: str = "", rule: str = ""
    ) -> AsyncGenerator[tuple[int, tuple[Prospects, ...]], None]:
        """What would become of everyone: how many were read, and their prospects, a page at a time.

        `service` and `client` narrow the places, `rule` the people. Raises NotFound, Unavailable.
        """
        policy = self._parts.policy
        self._check_rule(rule)
        places = places_of((policy,), service, client)
        judging = Judging(policy, self._traits, rule)
        async for read, people in self._census():
            found = []
            async for person in self._in_slices(people):
                prospects = judging.in_places(person, places)
                if prospects:
                    found.append(Prospects(person.account, prospects))
            yield read, tuple(found)

    async def plan(
        self, policy: Policy, traits: Mapping[str, FactorTraits]
    ) -> AsyncGenerator[tuple[int, tuple[Changed, ...]], None]:
        """What `policy` would change: how many people were read, and the changes, a page at a time.

        Raises Unavailable.
        """
        places = places_of((self._parts.policy, policy))
        now, then = Judging(self._parts.policy, self._traits), Judging(policy, traits)
        async for read, people in self._census():
            found = []
            async for person in self._in_slices(people):
                before, after = now.in_places(person, places), then.in_places(person, places)
                change = changed(person.account, before, after)
                if change is not None:
                    found.append(change)
            yield read, tuple(found)

    async def _groups(self, facts: LoginFacts) -> tuple[Groups | None, str]:
        """The person's groups, also where no rule asks for any; else why they are not known."""
        if facts.groups is not None:
            return Groups(facts.groups.groups, facts.groups.read_at), ""
        if facts.why_no_groups:
            return None, facts.why_no_groups
        try:
            return await self._parts.accounts.groups(facts.account), ""
        except Unavailable as error:
            return None, str(error)

    def _census(self) -> AsyncIterator[tuple[int, Iterator[Counted]]]:
        return Census(self._directories, self._parts.store, self._parts.clock).pages()

    async def _in_slices(self, people: Iterator[Counted]) -> AsyncIterator[Counted]:
        clock = self._parts.clock
        began = clock.steady()
        for person in people:
            yield person
            if clock.steady() - began > SLICE_SECONDS:
                await clock.sleep(0)
                began = clock.steady()

    def _check_rule(self, name: str) -> None:
        known = [rule.name for rule in self._parts.policy.rules]
        if name and name not in known:
            raise NotFound(f'There is no rule "{name}". Known: {", ".join(known) or EVERYONE}.')


def _moved(facts: LoginFacts, at: float) -> LoginFacts:
    """The same login at another time, with groups that are as old then as they are now."""
    groups = copy(facts.groups)
    if groups is not None:
        groups.read_at += at - facts.now
    return replace(facts, now=at, groups=groups)
