"""A directory in a dictionary, for unit tests of the core."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nightlatch.errors import PasswordNotTaken, Refused, Unavailable
from nightlatch.model import Account, Group, Groups, Person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nightlatch.model import Secret

ALICE = Account("corp", "id-of-alice", "alice")


@dataclass
class FakeDirectory:
    """Knows some people by any spelling, and may be away."""

    name: str = "corp"
    known: dict[str, Account] = field(default_factory=lambda: {"alice": ALICE})
    passwords: dict[str, str] = field(default_factory=lambda: {"id-of-alice": "right"})
    away: bool = False
    away_for_passwords: bool = False
    away_for_groups: bool = False
    asked_for_groups: int = 0
    member_of: dict[str, Groups] = field(default_factory=dict)
    """By stable id."""
    asked: int = 0

    async def find(self, name: str) -> Account | None:
        self._there()
        return self.known.get(name.strip().casefold())

    @property
    def folds_case(self) -> bool:
        return True

    async def groups(self, account: Account) -> Groups:
        self._there()
        self.asked_for_groups += 1
        if self.away_for_groups:
            raise Unavailable(f"directory {self.name}", "gave only a part of the groups")
        return self.member_of.setdefault(account.stable_id, Groups((), 1_700_000_000.0))

    async def group(self, named: str) -> Group | None:
        self._there()
        found = {group for groups in self.member_of.values() for group in groups.groups}
        return next((group for group in found if named in {group.id, group.name}), None)

    async def people(self) -> AsyncIterator[tuple[Person, ...]]:
        self._there()
        yield tuple(
            Person(account, self.member_of.get(account.stable_id, Groups((), 0.0)).groups)
            for account in self.known.values()
        )

    def servers(self) -> tuple[int, int]:
        return 1, 0

    async def check_password(self, account: Account, password: Secret) -> None:
        self.asked += 1
        self._there()
        if self.away_for_passwords:
            raise Unavailable(f"directory {self.name}", "went away")
        if self.passwords[account.stable_id] != password.reveal():
            raise Refused("wrong password")

    resets_passwords = True

    async def change_password(self, account: Account, old: Secret | None, new: Secret) -> None:
        if old is not None:
            await self.check_password(account, old)
        self._there()
        if len(new.reveal()) < 4:
            raise PasswordNotTaken("This password is too short for the directory. Choose a longer one.")
        self.passwords[account.stable_id] = new.reveal()

    async def health(self) -> str:
        self._there()
        return "fine"

    async def close(self) -> None: ...

    def _there(self) -> None:
        if self.away:
            raise Unavailable(f"directory {self.name}", "did not answer in 3 s")
