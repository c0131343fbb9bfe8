"""Keeps what a directory told of people's groups, for some seconds.

MUST 1: nothing is kept longer than the setting says, counted from before the directory was asked.
MUST 2: a failure is never kept, and never covered up by what was known before: Unavailable stays Unavailable.
MUST 3: what is kept is bounded, in people and in groups, whatever the directory tells.
MUST 4: passwords and accounts pass through; nothing of them is kept.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nightlatch.model import Account, Group, Groups, Person, Secret
    from nightlatch.ports import Clock, Directory

MOST_PEOPLE = 10_000
"""Whose groups are kept; who was asked about longest ago goes first."""
MOST_GROUPS = 200_000
"""Groups that are kept in all: about 50 MB."""


class _Kept(NamedTuple):
    groups: Groups
    until: float


class CachedGroups:
    """A directory whose answers to `groups` are kept. Implements `nightlatch.ports.Directory`."""

    def __init__(self, directory: Directory, seconds: float, clock: Clock) -> None:
        self._directory = directory
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._count = 0
        self._asking: dict[tuple[str, str], asyncio.Task[Groups]] = {}

    @property
    def name(self) -> str:
        """The directory's name in the configuration."""
        return self._directory.name

    @property
    def folds_case(self) -> bool:
        """Whether "Alice" and "alice" are one person there."""
        return self._directory.folds_case

    async def groups(self, account: Account) -> Groups:
        """A person's groups, at most as old as the setting says (`read_at` tells); raises Unavailable.

        Who asks about the same person at the same time shares one look-up, and who leaves disturbs nobody.
        """
        key = (account.id, account.handle)  # moved, the person may be in other groups
        kept = self._kept.get(key)
        if kept is not None and self._clock.steady() < kept.until:
            self._kept.move_to_end(key)
            return kept.groups
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.create_task(self._ask(key, account))
            self._asking[key] = asking
            asking.add_done_callback(lambda task: self._asked(key, task))
        return await asyncio.shield(asking)

    async def find(self, name: str) -> Account | None:
        """As the directory does."""
        return await self._directory.find(name)

    async def check_password(self, account: Account, password: Secret) -> None:
        """As the directory does."""
        await self._directory.check_password(account, password)

    @property
    def resets_passwords(self) -> bool:
        """As the directory does."""
        return self._directory.resets_passwords

    async def change_password(self, account: Account, old: Secret | None, new: Secret) -> None:
        """As the directory does."""
        await self._directory.change_password(account, old, new)

    async def group(self, named: str) -> Group | None:
        """As the directory does."""
        return await self._directory.group(named)

    def people(self) -> AsyncIterator[tuple[Person, ...]]:
        """As the directory does."""
        return self._directory.people()

    def servers(self) -> tuple[int, int]:
        """As the directory does."""
        return self._directory.servers()

    async def health(self) -> str:
        """As the directory does."""
        return await self._directory.health()

    async def close(self) -> None:
        """Close the directory, which ends what it is asked."""
        await self._directory.close()

    async def _ask(self, key: tuple[str, str], account: Account) -> Groups:
        began = self._clock.steady()
        self._forget(key)
        groups = await self._directory.groups(account)
        self._kept[key] = _Kept(groups, began + self._seconds)
        self._count += len(groups.groups)
        while len(self._kept) > MOST_PEOPLE or self._count > MOST_GROUPS:
            self._forget(next(iter(self._kept)))
        return groups

    def _asked(self, key: tuple[str, str], task: asyncio.Task[Groups]) -> None:
        del self._asking[key]
        if not task.cancelled():
            task.exception()  # it is told to those who wait; where all have left, to nobody

    def _forget(self, key: tuple[str, str]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._count -= len(kept.groups.groups)
