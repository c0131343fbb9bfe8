"""Groups of a real slapd that can not be told whole: an outage each time, never a part."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from integration.directories.group_lookups import MEMBER_OF, account_of, everyone, groups_of, table
from nightlatch.errors import Unavailable
from testbed.slapd import GROUPS, SERVICE_DN, SUFFIX, Parts, Slapd, group_dn, group_of_names, person_dn

if TYPE_CHECKING:
    from testbed.fixtures_directories import MakeDirectory, MakeSlapd


async def test_a_group_without_a_name_is_an_outage(
    make_slapd: MakeSlapd, make_directory: MakeDirectory
) -> None:
    """A group whose cn the service account may not read is unavailable: a rule could not name it."""
    hidden = f'access to dn.subtree="{GROUPS}" attrs=cn by * none\n'
    slapd = make_slapd(parts=Parts(first_access=hidden))
    slapd.add_all(group_of_names("web", person_dn("alice")))
    directory = make_directory(table(slapd))
    with pytest.raises(Unavailable, match="without a cn"):
        await groups_of(directory)


async def test_a_listed_group_that_is_hidden_is_an_outage(
    make_slapd: MakeSlapd, make_directory: MakeDirectory
) -> None:
    """A group in memberOf that the service account can not read is unavailable: it may be in others."""
    hidden = f'access to dn.exact="{group_dn("secret")}" by * none\n'
    slapd = make_slapd(parts=dataclasses.replace(MEMBER_OF, first_access=hidden))
    slapd.add_all(group_of_names("secret", person_dn("alice")))
    directory = make_directory(table(slapd, member_of_attribute="memberOf"))
    with pytest.raises(Unavailable, match="does not show"):
        await groups_of(directory)
    with pytest.raises(Unavailable, match="does not show"):
        await everyone(directory)


@pytest.mark.parametrize("most", [5, 600])
async def test_a_part_of_the_groups_is_an_outage(
    make_slapd: MakeSlapd, make_directory: MakeDirectory, most: int
) -> None:
    """A server that keeps groups back from the service account, on any page, is unavailable."""
    count = most + 5
    ldif = "".join(group_of_names(f"g{n}", person_dn("alice")) for n in range(count))
    limits = f'limits dn.exact="{SERVICE_DN}" size={most}\n'
    slapd = make_slapd(parts=Parts(directives=limits, ldif=ldif))
    directory = make_directory(table(slapd))
    with pytest.raises(Unavailable, match="raise the size limits"):
        await directory.groups(await account_of(directory))
    with pytest.raises(Unavailable, match="raise the size limits"):
        await everyone(directory)


async def test_a_reference_to_another_server_is_a_part(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """Groups that the server refers elsewhere for are unavailable, and nobody is asked elsewhere."""
    slapd.add_all(group_of_names("web", person_dn("alice")))
    directory = make_directory(table(slapd))
    assert await groups_of(directory) == {"web": ()}
    slapd.add_all(
        f"dn: ou=more,{GROUPS}\nobjectClass: referral\nobjectClass: extensibleObject\nou: more\n"
        f"ref: ldap://127.0.0.1:1/ou=more,{GROUPS}\n"
    )
    with pytest.raises(Unavailable, match="refers to another server"):
        await groups_of(directory)
    with pytest.raises(Unavailable, match="refers to another server"):
        await everyone(directory)


async def test_a_missing_group_base_says_so(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """A group_base that is not there is an outage that names the setting, never "no groups"."""
    directory = make_directory(slapd.settings(group_base=f"ou=gruops,{SUFFIX}", group_cache_seconds=0))
    with pytest.raises(Unavailable, match="look at group_base"):
        await directory.groups(await account_of(directory))


async def test_groups_of_an_outage(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """LDP-07: a stopped server tells no groups; started again, it does."""
    slapd.add_all(group_of_names("web", person_dn("alice")))
    directory = make_directory(table(slapd, connect_timeout=0.3, operation_timeout=0.5))
    alice = await account_of(directory)
    slapd.stop()
    with pytest.raises(Unavailable, match="refused the connection"):
        await directory.groups(alice)
    slapd.start()
    slapd.hang()
    with pytest.raises(Unavailable, match=r"did not answer|no answer"):
        await directory.groups(alice)
    slapd.go_on()
    assert [group.name for group in (await directory.groups(alice)).groups] == ["web"]


async def test_groups_of_somebody_else_s_entry(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """IDN-04: groups are those of the person with this id, not of who got the DN since; nor are they lost."""
    slapd.add_all(group_of_names("web", person_dn("alice"), person_dn("carol")))
    directory = make_directory(table(slapd))
    alice, carol = await account_of(directory), await account_of(directory, "carol")
    slapd.remove(person_dn("alice"))
    with pytest.raises(Unavailable, match="moved or removed"):
        await directory.groups(alice)
    slapd.add("alice")
    with pytest.raises(Unavailable, match="moved or removed"):
        await directory.groups(alice)
    slapd.modify(f"dn: {person_dn('carol')}\nchangetype: modrdn\nnewrdn: uid=karla\ndeleteoldrdn: 1\n")
    with pytest.raises(Unavailable, match="moved or removed"):
        await directory.groups(carol)
