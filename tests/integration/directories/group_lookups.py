"""How tests of groups in a slapd look them up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testbed.slapd import GROUPS, Parts, Slapd, group_dn

if TYPE_CHECKING:
    from nightlatch.model import Account, Group
    from nightlatch.ports import Directory

MEMBER_OF = Parts(
    modules=("memberof",),
    directives="overlay memberof\nmemberof-group-oc groupOfNames\nmemberof-member-ad member\n",
)


def table(slapd: Slapd, **changes: object) -> dict[str, object]:
    """The directory's table, with groups and without a cache of them."""
    return slapd.settings(group_base=GROUPS, group_cache_seconds=0, **changes)


async def account_of(directory: Directory, name: str = "alice") -> Account:
    """Somebody's account, who is there."""
    account = await directory.find(name)
    assert account is not None
    return account


async def groups_of(directory: Directory, name: str = "alice") -> dict[str, tuple[str, ...]]:
    """The groups' names, with the names of the groups in between."""
    groups = (await directory.groups(await account_of(directory, name))).groups
    assert all(group.id == group_dn(group.name) for group in groups)
    assert len({group.id for group in groups}) == len(groups)
    return {group.name: group.via for group in groups}


async def everyone(directory: Directory) -> dict[str, tuple[Group, ...]]:
    """Everybody's groups, in a fixed order, as `people` tells them."""
    return {
        person.account.name: tuple(sorted(person.groups, key=lambda group: group.id))
        async for page in directory.people()
        for person in page
    }


async def same_in_memory(directory: Directory, *names: str) -> None:
    """What `people` tells of a person is what `groups` tells, the ways included."""
    told = await everyone(directory)
    for name in names:
        groups = (await directory.groups(await account_of(directory, name))).groups
        assert told[name] == tuple(sorted(groups, key=lambda group: group.id)), name
