"""Everyone in all directories, with what the daemon keeps of them: read in bulk, looked at one by one."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.model import Groups, Standing
from nightlatch.policy.index import GroupIndex, group_key
from nightlatch.review.prospect import Holdings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from nightlatch.model import Account, Person
    from nightlatch.ports import Clock, Directory, Store

_NEW = Standing()


@dataclass(frozen=True, slots=True)
class Counted:
    """One person of the census."""

    account: Account
    folds_case: bool
    groups: GroupIndex
    holdings: Holdings
    enabled: bool


class Census:
    """Reads everyone. Nothing is kept between two readings."""

    def __init__(self, directories: Sequence[Directory], store: Store, clock: Clock) -> None:
        self._directories = directories
        self._store = store
        self._clock = clock

    async def pages(self) -> AsyncIterator[tuple[int, Iterator[Counted]]]:
        """Everyone, a directory's page at a time: how many were read, and those that matter, one by one.

        Whoever no login finds, because an earlier directory has somebody of the name, is left out.
        Raises Unavailable: a part of the people is no census.
        """
        kept = _Kept(await self._store.enrolled(), await self._store.standings(), self._clock.now())
        taken = _Taken()
        for directory in self._directories:
            folds_case, names = directory.folds_case, set[str]()
            async with aclosing(directory.people()) as pages:  # type: ignore[type-var]  # all are generators
                async for page in pages:
                    for one in page:
                        names.update((one.account.name, *one.account.other_names))
                    visible = (one for one in page if not taken.hides(one.account.name, folds_case))
                    yield len(page), (kept.counted(one, folds_case) for one in visible)
            taken.add(names, folds_case)


class _Kept:
    """What the store has of everyone, and the groups that many have in common."""

    def __init__(
        self, enrolled: dict[str, tuple[str, ...]], standings: dict[str, Standing], now: float
    ) -> None:
        self._enrolled = enrolled
        self._standings = standings
        self._now = now
        self._keys: dict[str, str] = {}

    def counted(self, person: Person, folds_case: bool) -> Counted:  # noqa: FBT001 - as the directory says it
        """A person with all that is known of them."""
        account = person.account
        standing = self._standings.get(account.id, _NEW)
        groups = Groups(person.groups, self._now)
        return Counted(
            account,
            folds_case,
            GroupIndex(groups, folds_case=folds_case, key_of=self._key_of),
            Holdings(self._enrolled.get(account.id, ()), standing, self._now),
            person.enabled and standing.disabled_at is None,
        )

    def _key_of(self, named: str) -> str:
        key = self._keys.get(named)
        if key is None:
            key = self._keys[named] = group_key(named)
        return key


class _Taken:
    """The names that earlier directories answer for."""

    def __init__(self) -> None:
        self._folded: set[str] = set()
        self._exact: set[str] = set()

    def add(self, names: set[str], folds_case: bool) -> None:  # noqa: FBT001 - as the directory says it
        """Add those of one directory."""
        if folds_case:
            self._folded.update(name.casefold() for name in names)
        else:
            self._exact |= names

    def hides(self, name: str, folds_case: bool) -> bool:  # noqa: FBT001 - as the directory says it
        """Whether no spelling of a name in a later directory gets there."""
        return name.casefold() in self._folded or (not folds_case and name in self._exact)
