"""Lets a watcher know what a directory is asked, and how long it takes. Nothing else changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.watching import Activity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nightlatch.model import Account, Group, Groups, Person, Secret
    from nightlatch.ports import Directory
    from nightlatch.watching import Timing, Watcher


class WatchedDirectory:
    """A directory whose calls are timed. Implements `nightlatch.ports.Directory`."""

    def __init__(self, directory: Directory, watcher: Watcher) -> None:
        self._directory = directory
        self._watcher = watcher

    @property
    def name(self) -> str:
        """The directory's name in the configuration."""
        return self._directory.name

    @property
    def folds_case(self) -> bool:
        """Whether "Alice" and "alice" are one person there."""
        return self._directory.folds_case

    async def find(self, name: str) -> Account | None:
        """As the directory does."""
        with self._during("find"):
            return await self._directory.find(name)

    async def check_password(self, account: Account, password: Secret) -> None:
        """As the directory does."""
        with self._during("check_password"):
            await self._directory.check_password(account, password)

    @property
    def resets_passwords(self) -> bool:
        """As the directory does."""
        return self._directory.resets_passwords

    async def change_password(self, account: Account, old: Secret | None, new: Secret) -> None:
        """As the directory does."""
        with self._during("change_password"):
            await self._directory.change_password(account, old, new)

    async def groups(self, account: Account) -> Groups:
        """As the directory does."""
        with self._during("groups"):
            return await self._directory.groups(account)

    async def group(self, named: str) -> Group | None:
        """As the directory does."""
        with self._during("group"):
            return await self._directory.group(named)

    def people(self) -> AsyncIterator[tuple[Person, ...]]:
        """As the directory does. Not timed: how long it takes is a matter of who reads."""
        return self._directory.people()

    def servers(self) -> tuple[int, int]:
        """As the directory does."""
        return self._directory.servers()

    async def health(self) -> str:
        """As the directory does."""
        with self._during("health"):
            return await self._directory.health()

    async def close(self) -> None:
        """As the directory does."""
        await self._directory.close()

    def _during(self, call: str) -> Timing:
        return self._watcher.during(Activity.DIRECTORY, self._directory.name, call)
