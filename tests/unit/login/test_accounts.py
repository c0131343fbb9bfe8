"""Who is behind a name, over several directories."""

from __future__ import annotations

import pytest

from nightlatch.errors import NotFound, Refused, Unavailable
from nightlatch.login.accounts import Accounts
from nightlatch.model import Account, Group, Groups, Secret
from testbed.core import FakeDirectory

LOCAL, CORP = Account("local", "alice", "alice"), Account("corp", "4f0c", "alice")


def _both() -> tuple[FakeDirectory, FakeDirectory, Accounts]:
    local = FakeDirectory("local", {"alice": LOCAL}, {"alice": "local password"})
    corp = FakeDirectory(
        "corp", {"alice": CORP, "bob": Account("corp", "9", "bob")}, {"4f0c": "corp password"}
    )
    return local, corp, Accounts((local, corp))


async def test_the_first_that_knows_the_name_has_the_person() -> None:
    """IDN-03: one name in two directories is the first one's account, and the password is checked there."""
    local, corp, accounts = _both()
    assert await accounts.get("alice") == LOCAL
    with pytest.raises(Refused):
        await accounts.check_password(LOCAL, Secret("corp password"))
    assert (local.asked, corp.asked) == (1, 0)
    assert (await accounts.get("bob")).directory == "corp"


async def test_an_outage_ends_the_search() -> None:
    """IDN-03: while the first directory is away, nobody becomes the person of that name in the second."""
    local, _, accounts = _both()
    local.away = True
    for name in ("alice", "bob"):
        with pytest.raises(Unavailable):
            await accounts.find(name)


async def test_another_name_does_not_lead_round_a_namesake_in_front() -> None:
    """IDN-03: who is found by another name is nobody while the own name is somebody else's further up."""
    local, corp, accounts = _both()
    second = Account("corp", "4f0c", "alice", other_names=("asmith",))
    corp.known.update(alice=second, asmith=second)
    with pytest.raises(Unavailable, match="alice is somebody else in local"):
        await accounts.find("asmith")
    assert await accounts.get("alice") == LOCAL
    del local.known["alice"]
    assert await accounts.get("asmith") == second


async def test_groups_are_those_of_the_account_s_own_directory() -> None:
    """The groups of corp's alice never count for the local one."""
    local, corp, accounts = _both()
    corp.member_of["4f0c"] = Groups((Group("cn=admins", "admins"),), 1.0)
    assert (await accounts.groups(LOCAL)).groups == ()
    assert [group.name for group in (await accounts.groups(CORP)).groups] == ["admins"]
    local.away_for_groups = True
    with pytest.raises(Unavailable):
        await accounts.groups(LOCAL)


async def test_a_directory_that_a_reload_took_away() -> None:
    """An account of a directory that is gone from the configuration is unavailable, not refused."""
    gone = Account("gone", "alice", "alice")
    _, _, accounts = _both()
    with pytest.raises(Unavailable, match="no longer in the configuration"):
        await accounts.check_password(gone, Secret("local password"))
    with pytest.raises(Unavailable, match="no longer in the configuration"):
        await accounts.groups(gone)


def test_directories_by_name_and_in_order() -> None:
    """Reports go through all directories in their order; a wrong name is told the right ones."""
    local, corp, accounts = _both()
    assert list(accounts) == [local, corp]
    assert accounts.directory("corp") is corp
    with pytest.raises(NotFound, match="local, corp"):
        accounts.directory("crop")
