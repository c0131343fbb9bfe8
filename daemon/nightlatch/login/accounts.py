"""Finds the account behind a name, over all directories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nightlatch.model import Account, Groups, Secret
    from nightlatch.ports import Directory


class Accounts:
    """The directories, in the order of the configuration: the first that knows a name has the person.

    A directory that can not answer ends the search with Unavailable: going on to the next one would let an
    outage turn one person into another of the same name.
    """

    def __init__(self, directories: Sequence[Directory]) -> None:
        self._directories = {directory.name: directory for directory in directories}

    async def find(self, name: str) -> Account | None:
        """The account that goes by this name, or None; raises Unavailable."""
        for directory in self._directories.values():
            account = await directory.find(name)
            if account is not None:
                return account
        return None

    async def get(self, name: str) -> Account:
        """The account that goes by this name; raises NotFound, Unavailable."""
        account = await self.find(name)
        if account is None:
            raise NotFound(
                "No directory knows that person. Check the spelling, or the directory's search base."
            )
        return account

    async def check_password(self, account: Account, password: Secret) -> None:
        """Return when the password is right; raises Refused, Unavailable."""
        await self._directories[account.directory].check_password(account, password)

    async def groups(self, account: Account) -> Groups:
        """All groups of a person; raises Unavailable."""
        return await self._directories[account.directory].groups(account)

    def folds_case(self, account: Account) -> bool:
        """Whether the account's directory takes "Alice" and "alice" for one."""
        return self._directories[account.directory].folds_case
