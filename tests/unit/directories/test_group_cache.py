"""Keeping people's groups for some seconds."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.directories import group_cache
from nightlatch.directories.group_cache import CachedGroups
from nightlatch.errors import Unavailable
from nightlatch.model import Account, Group, Groups
from testbed.core import FakeClock, FakeDirectory

if TYPE_CHECKING:
    from collections.abc import Coroutine

SECONDS = 60
ALICE, BOB = Account("corp", "1", "alice", "uid=alice"), Account("corp", "2", "bob", "uid=bob")
STAFF = Group("cn=staff", "staff")


@dataclass
class Counting(FakeDirectory):
    """Counts look-ups of groups; each ends when it is let go."""

    looked_up: list[str] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def groups(self, account: Account) -> Groups:
        self.looked_up.append(account.name)
        await self.go.wait()
        self._there()
        return Groups((STAFF,), float(len(self.looked_up)))


@dataclass
class World:
    """A cache, what it asks, and its time."""

    clock: FakeClock
    directory: Counting
    cache: CachedGroups


@pytest.fixture
def world() -> World:
    """A directory that answers at once."""
    clock, directory = FakeClock(), Counting()
    directory.go.set()
    return World(clock, directory, CachedGroups(directory, SECONDS, clock))


async def _begun(*asking: Coroutine[None, None, Groups]) -> list[asyncio.Task[Groups]]:
    tasks = [asyncio.create_task(one) for one in asking]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_kept_for_the_seconds_and_no_longer(world: World) -> None:
    """The same answer, with its age, until the seconds are over; then the directory is asked again."""
    first = await world.cache.groups(ALICE)
    world.clock.time += SECONDS - 0.5
    assert await world.cache.groups(ALICE) is first
    world.clock.time += 0.5
    second = await world.cache.groups(ALICE)
    assert (first.read_at, second.read_at) == (1.0, 2.0)


async def test_the_age_counts_from_the_question(world: World) -> None:
    """A slow answer is as old as its question: what changed meanwhile does not count for longer."""
    world.directory.go.clear()
    (asking,) = await _begun(world.cache.groups(ALICE))
    world.clock.time += SECONDS
    world.directory.go.set()
    await asking
    await world.cache.groups(ALICE)
    assert world.directory.looked_up == ["alice", "alice"]


async def test_failures_are_neither_kept_nor_covered_up(world: World) -> None:
    """An outage is an outage for everybody who asks, also with an old answer, and ends when it ends."""
    await world.cache.groups(ALICE)
    world.clock.time += SECONDS
    world.directory.away = True
    for _ in range(2):
        with pytest.raises(Unavailable):
            await world.cache.groups(ALICE)
    world.directory.away = False
    assert (await world.cache.groups(ALICE)).groups == (STAFF,)


async def test_who_asks_at_once_shares_one_look_up(world: World) -> None:
    """Fifty logins of one person are one question; another person's is another, and errors are shared too."""
    world.directory.go.clear()
    tasks = await _begun(*(world.cache.groups(ALICE) for _ in range(50)), world.cache.groups(BOB))
    assert world.directory.looked_up == ["alice", "bob"]
    world.directory.away = True
    world.directory.go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 51


async def test_who_leaves_disturbs_nobody(world: World) -> None:
    """A caller that goes away in the middle ends nobody else's look-up, and its answer is kept."""
    world.directory.go.clear()
    first, second = await _begun(world.cache.groups(ALICE), world.cache.groups(ALICE))
    first.cancel()
    world.directory.go.set()
    assert (await second).groups == (STAFF,)
    with contextlib.suppress(asyncio.CancelledError):
        await first
    await world.cache.groups(ALICE)
    assert world.directory.looked_up == ["alice"]


async def test_a_person_who_was_moved_is_asked_about_anew(world: World) -> None:
    """An entry that moved within its directory may have other groups."""
    await world.cache.groups(ALICE)
    await world.cache.groups(replace(ALICE, handle="uid=alice,ou=left"))
    assert len(world.directory.looked_up) == 2


async def test_people_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many people, the one who was asked about longest ago is forgotten."""
    monkeypatch.setattr(group_cache, "MOST_PEOPLE", 2)
    carol = Account("corp", "3", "carol")
    for account in (ALICE, BOB, ALICE, carol, ALICE, BOB):
        await world.cache.groups(account)
    assert world.directory.looked_up == ["alice", "bob", "carol", "bob"]


async def test_groups_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory in which everybody has thousands of groups does not fill the memory either."""
    monkeypatch.setattr(group_cache, "MOST_GROUPS", 1)
    for account in (ALICE, BOB, BOB, ALICE):
        await world.cache.groups(account)
    assert world.directory.looked_up == ["alice", "bob", "alice"]


async def test_everything_else_passes_through(world: World) -> None:
    """Passwords, accounts and health are the directory's own, asked every time."""
    assert (world.cache.name, world.cache.folds_case) == ("corp", True)
    assert await world.cache.find("nobody") is None
    assert await world.cache.health() == "fine"
    world.directory.away = True
    for question in (world.cache.find("alice"), world.cache.health(), world.cache.group("staff")):
        with pytest.raises(Unavailable):
            await question
