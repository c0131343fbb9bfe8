"""Finds the account behind a name, over all directories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nightlatch.model import Account, Groups, Secret
    from nightlatch.ports import Directory


class Accounts:
    """The directories, in the order of the configuration: the first that knows a name has the person.

    A directory that can not answer ends the search with Unavailable: going on to the next one would let an
    outage turn one person into another of the same name. Who is found by another name than the own one is
    nobody where the own name is somebody else's: what goes by names would take one for the other.
    """

    def __init__(self, directories: Sequence[Directory]) -> None:
        self._directories = {directory.name: directory for directory in directories}

    async def find(self, name: str) -> Account | None:
        """The account that goes by this name, or None; raises Unavailable."""
        before: list[Directory] = []
        for directory in self._directories.values():
            account = await directory.find(name)
            if account is not None:
                await _require_free(account, name, before)
                return account
            before.append(directory)
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
        """Return when the password is right; raises Refused, Restricted, Unavailable."""
        await self._of(account).check_password(account, password)

    async def change_password(self, account: Account, old: Secret | None, new: Secret) -> None:
        """Give the account another password; see `Directory.change_password`."""
        await self._of(account).change_password(account, old, new)

    def resets_password(self, account: Account) -> bool:
        """Whether the account's directory sets forgotten passwords anew; raises Unavailable."""
        return self._of(account).resets_passwords

    async def groups(self, account: Account) -> Groups:
        """All groups of a person; raises Unavailable."""
        return await self._of(account).groups(account)

    def folds_case(self, account: Account) -> bool:
        """Whether the account's directory takes "Alice" and "alice" for one; raises Unavailable."""
        return self._of(account).folds_case

    def directory(self, name: str) -> Directory:
        """The directory of that name; raises NotFound."""
        found = self._directories.get(name)
        if found is None:
            raise NotFound(f"There is no such directory. Known: {', '.join(self._directories)}.")
        return found

    def __iter__(self) -> Iterator[Directory]:
        """The directories, in the order in which they are asked."""
        return iter(self._directories.values())

    def _of(self, account: Account) -> Directory:
        """The account's directory; raises Unavailable where a reload took it away from under a login."""
        found = self._directories.get(account.directory)
        if found is None:
            raise Unavailable(f"directory {account.directory}", "is no longer in the configuration")
        return found


async def _require_free(account: Account, name: str, before: Sequence[Directory]) -> None:
    """Raise Unavailable where the own name of who was found by another one is a namesake's in front."""
    if not account.other_names or account.is_called(name):
        return
    for directory in before:
        if await directory.find(account.name) is not None:
            raise Unavailable(
                f"directory {account.directory}",
                f"has {account.name} by another name; {account.name} is somebody else in {directory.name}",
            )
