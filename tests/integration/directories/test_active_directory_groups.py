"""Groups of Active Directory, read from a real Samba: nested, primary, large, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from nightlatch.errors import Unavailable
from nightlatch.model import Group
from testbed.samba import BASE, USERS, Samba

if TYPE_CHECKING:
    from nightlatch.model import Account, Person
    from nightlatch.ports import Directory
    from testbed.fixtures_active_directory import NewName
    from testbed.fixtures_directories import MakeDirectory

DOMAIN_USERS = f"CN=Domain Users,{USERS}"
BUILTIN_USERS = f"CN=Users,CN=Builtin,{BASE}"
CROWD = 1010
"""More people in one group than are asked for in one answer, and more than a page of people."""


class Tree(NamedTuple):
    """A person in a group, in a group, in a group, which is in the first again."""

    person: str
    inner: str
    middle: str
    outer: str


@pytest.fixture
def tree(samba: Samba, new_name: NewName) -> Tree:
    """Such a person and its groups, by name."""
    made = Tree(*(new_name(word) for word in ("nested", "inner", "middle", "outer")))
    inner = samba.add_group(made.inner, samba.add_person(made.person))
    outer = samba.add_group(made.outer, samba.add_group(made.middle, inner))
    samba.join(inner, outer)
    return made


async def _known(directory: Directory, name: str) -> Account:
    account = await directory.find(name)
    assert account is not None
    return account


async def _ways(directory: Directory, name: str) -> dict[str, tuple[str, ...]]:
    found = (await directory.groups(await _known(directory, name))).groups
    assert len({group.id for group in found}) == len(found)
    return {group.name: group.via for group in found}


async def _everyone(directory: Directory) -> dict[str, Person]:
    people = [person async for page in directory.people() for person in page]
    assert len({person.account.id for person in people}) == len(people)
    return {person.account.name: person for person in people}


async def test_nested_groups_and_the_way_to_them(
    samba: Samba, make_directory: MakeDirectory, tree: Tree
) -> None:
    """All levels are found, a loop included, each with the groups in between; and the primary group's."""
    directory = make_directory(samba.settings())
    assert await _ways(directory, tree.person) == {
        "Domain Users": (),
        "Users": ("Domain Users",),
        tree.inner: (),
        tree.middle: (tree.inner,),
        tree.outer: (tree.inner, tree.middle),
    }


async def test_groups_have_the_names_that_the_directory_gives(
    samba: Samba, make_directory: MakeDirectory, tree: Tree
) -> None:
    """A group's id is its DN as the server spells it."""
    directory = make_directory(samba.settings())
    found = await directory.groups(await _known(directory, tree.person))
    ids = {group.name: group.id for group in found.groups}
    assert ids[tree.inner] == f"CN={tree.inner},{USERS}"
    assert ids["Domain Users"] == DOMAIN_USERS
    assert ids["Users"] == BUILTIN_USERS


async def test_another_primary_group(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName, tree: Tree
) -> None:
    """The primary group counts though no member names it, and so do the groups that it is in."""
    name, primary = new_name("primary"), new_name("department")
    dn = samba.add_person(name)
    group = samba.add_group(primary, dn)
    samba.join(f"CN={tree.middle},{USERS}", group)
    rid = int.from_bytes(samba.value(group, "objectSid")[-4:], "little")
    samba.modify(dn, primaryGroupID=rid)
    ways = await _ways(make_directory(samba.settings()), name)
    assert ways[primary] == ()
    assert ways[tree.middle] == (primary,)
    assert ways[tree.outer] == (primary, tree.middle)
    assert ways["Domain Users"] == ()  # a member by name since it is not the primary group any more


async def test_names_that_mean_something_to_a_filter(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    """LDP-02: people and groups whose names hold what filters and DNs are made of have their own groups."""
    name = new_name("odd")
    group = new_name("g (all) & co ")
    dn = f"CN={name} (a\\, b\\+c) *,{USERS}"
    samba.add(dn, "user", {"sAMAccountName": name, "userAccountControl": 514})
    samba.add_group(group, dn)
    directory = make_directory(samba.settings())
    assert await _ways(directory, name) == {"Domain Users": (), "Users": ("Domain Users",), group: ()}
    found = await directory.group(group)
    assert found is not None
    assert found.id == f"CN={group},{USERS}"
    for typed in (f"{group[:-1]}*", "*", "g*)(cn=*", "(", "\\2a", f"CN=*,{USERS}", "CN=", "=", ","):
        assert await directory.group(typed) is None, typed


async def test_one_group_by_name(samba: Samba, make_directory: MakeDirectory, tree: Tree) -> None:
    """A group is known by its DN and by its short name, in any case; a person is no group."""
    directory = make_directory(samba.settings())
    expected = Group(f"CN={tree.outer},{USERS}", tree.outer)
    for named in (tree.outer, tree.outer.upper(), expected.id, expected.id.lower()):
        assert await directory.group(named) == expected, named
    for named in (tree.person, f"CN={tree.person},{USERS}", "no such group", f"CN=nobody,{USERS}"):
        assert await directory.group(named) is None, named
    assert await directory.group("CN=Domain Users,CN=Users,DC=other,DC=test") is None


async def test_groups_are_those_of_the_account(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    """IDN-04: an account of somebody who left is not told the groups of who has the name now."""
    name = new_name("successor")
    dn = samba.add_person(name)
    directory = make_directory(samba.settings())
    before = await _known(directory, name)
    samba.remove(dn)
    with pytest.raises(Unavailable):
        await directory.groups(before)
    samba.add_group(new_name("new"), samba.add_person(name))
    with pytest.raises(Unavailable, match="moved or removed"):
        await directory.groups(before)


async def test_a_group_that_is_not_shown_is_an_outage(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName, tree: Tree
) -> None:
    """A group that the service account may not read makes the answer unavailable, never a part of it."""
    hidden = f"CN={tree.middle},{USERS}"
    samba.deny_reading(hidden)
    directory = make_directory(samba.settings())
    account = await _known(directory, tree.person)
    with pytest.raises(Unavailable, match="does not show"):
        await directory.groups(account)
    with pytest.raises(Unavailable, match="does not show"):
        await _everyone(directory)
    samba.remove(hidden)
    assert tree.inner in await _ways(directory, tree.person)


async def test_everyone_with_their_groups(samba: Samba, make_directory: MakeDirectory, tree: Tree) -> None:
    """Reading everyone tells of each person the same groups as asking for that person alone."""
    directory = make_directory(samba.settings())
    everyone = await _everyone(directory)
    for name in (tree.person, "Administrator", "krbtgt", "nightlatch"):
        alone = (await directory.groups(await _known(directory, name))).groups
        assert {group.id for group in everyone[name].groups} == {group.id for group in alone}, name
    ways = {group.name: group.via for group in everyone[tree.person].groups}
    assert ways[tree.outer] == (tree.inner, tree.middle)
    assert everyone[tree.person].account == await _known(directory, tree.person)
    assert everyone["nightlatch"].enabled
    assert not everyone["krbtgt"].enabled


async def test_more_members_and_more_people_than_one_answer_holds(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    """All of a large group's members are read (by ranges), and everyone of a large directory (by pages)."""
    name = new_name("crowd")
    unit = f"OU={name},{BASE}"
    people = [f"CN={name}.{number},{unit}" for number in range(CROWD)]
    members = "".join(f"member: {dn}\n" for dn in people)
    samba.add_locally(
        f"dn: {unit}\nobjectClass: organizationalUnit\n\n"
        + "".join(
            f"dn: {dn}\nobjectClass: user\nsAMAccountName: {dn[3:].split(',')[0]}\n" + PERSON for dn in people
        )
        + f"dn: CN={name},{unit}\nobjectClass: group\nsAMAccountName: {name}\n{members}\n"
    )
    directory = make_directory(samba.settings(base=unit, operation_timeout=20))
    everyone = await _everyone(directory)
    assert len(everyone) == CROWD
    for person in everyone.values():
        assert {group.name for group in person.groups} == {"Domain Users", "Users", name}
    assert name in await _ways(directory, f"{name}.{CROWD - 1}")


PERSON = "userAccountControl: 514\n\n"
