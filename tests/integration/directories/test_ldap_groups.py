"""Groups of a real slapd: direct, nested, in circles, of every kind; whole or unavailable."""

from __future__ import annotations

import time
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from integration.directories.group_lookups import (
    MEMBER_OF,
    account_of,
    everyone,
    groups_of,
    same_in_memory,
    table,
)
from nightlatch.directories.bounded import Call
from nightlatch.directories.ldap_link import LdapLink, Query, Route
from nightlatch.directories.ldap_tls import trust
from nightlatch.directories.matched_values import matched_values
from nightlatch.errors import Unavailable
from nightlatch.model import Secret
from testbed.slapd import (
    GROUPS,
    PEOPLE,
    SERVICE_DN,
    SERVICE_PASSWORD,
    Parts,
    Slapd,
    group_dn,
    group_of_names,
    person_dn,
)

if TYPE_CHECKING:
    from testbed.fixtures_directories import MakeDirectory, MakeSlapd
    from testbed.pki import Pki


DYNAMIC = Parts(
    modules=("dynlist",),
    directives="overlay dynlist\ndynlist-attrset groupOfURLs memberURL member+memberOf@groupOfNames*\n",
)


async def test_direct_and_nested(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """A person is in the groups that name them, and in all groups that those are in, with the way told."""
    slapd.add_all(
        group_of_names("web", person_dn("alice"), person_dn("bob"))
        + group_of_names("mail", person_dn("alice"))
        + group_of_names("operators", group_dn("web"), group_dn("mail"))
        + group_of_names("admins", group_dn("operators"), person_dn("bob"))
        + group_of_names("empty")
    )
    directory = make_directory(table(slapd))
    assert await groups_of(directory) == {
        "web": (),
        "mail": (),
        "operators": ("web",),
        "admins": ("web", "operators"),
    }
    assert await groups_of(directory, "bob") == {"web": (), "admins": (), "operators": ("web",)}
    assert await groups_of(directory, "carol") == {}
    await same_in_memory(directory, "alice", "bob", "carol", "dave")


async def test_a_circle_ends(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """Groups that are in each other, and one in itself, are each told once."""
    slapd.add_all(
        group_of_names("a", person_dn("alice"), group_dn("c"), group_dn("a"))
        + group_of_names("b", group_dn("a"))
        + group_of_names("c", group_dn("b"))
    )
    directory = make_directory(table(slapd))
    assert await groups_of(directory) == {"a": (), "b": ("a",), "c": ("a", "b")}
    await same_in_memory(directory, "alice", "bob")


async def test_groups_deeper_than_configured_are_an_outage(
    slapd: Slapd, make_directory: MakeDirectory
) -> None:
    """A chain as deep as group_depth is told whole; one level more is unavailable, never the first ten."""
    chain = [group_of_names("g1", person_dn("alice"))]
    chain += [group_of_names(f"g{n}", group_dn(f"g{n - 1}")) for n in range(2, 11)]
    slapd.add_all("".join(chain))
    directory = make_directory(table(slapd))
    assert len(await groups_of(directory)) == 10
    await same_in_memory(directory, "alice")
    slapd.add_all(group_of_names("g11", group_dn("g10")))
    with pytest.raises(Unavailable, match="more than 10 levels"):
        await groups_of(directory)
    with pytest.raises(Unavailable, match="more than 10 levels"):
        await everyone(directory)
    assert len(await groups_of(make_directory(table(slapd, group_depth=11)))) == 11


async def test_two_hundred_groups_take_a_few_searches(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """Two hundred groups of a person, each in another group, are asked about many at once."""
    slapd.add_all(
        "".join(
            group_of_names(f"inner{n}", person_dn("alice"))
            + group_of_names(f"outer{n}", group_dn(f"inner{n}"))
            for n in range(100)
        )
    )
    directory = make_directory(table(slapd))
    alice = await account_of(directory)
    before = slapd.log().count(" SRCH base=")
    groups = await directory.groups(alice)
    assert slapd.log().count(" SRCH base=") - before <= 8
    assert {group.name: group.via for group in groups.groups} == {
        **{f"inner{n}": () for n in range(100)},
        **{f"outer{n}": (f"inner{n}",) for n in range(100)},
    }
    await same_in_memory(directory, "alice")


async def test_other_members_are_not_read(slapd: Slapd, pki: Pki) -> None:
    """A big group sends the values that were asked about, and its other members stay at the server."""
    others = [f"cn=nobody{number},{PEOPLE}" for number in range(1000)]
    slapd.add_all(group_of_names("big", *others, person_dn("alice"), person_dn("bob")))
    link = LdapLink(Route(slapd.tls_url, trust(pki.ca), 3, 3), Call(time.monotonic() + 10))
    assert link.bind(SERVICE_DN, Secret(SERVICE_PASSWORD)).success
    asked = matched_values(("cn",), (("member", person_dn(name)) for name in ("alice", "bob", "carol")))
    query = Query(group_dn("big"), "(objectClass=*)", ("cn", "member"), 1, controls=(asked,))
    (entry,) = link.search(query).entries
    assert entry.values("cn") == (b"big",)
    assert set(entry.values("member")) == {person_dn("alice").encode(), person_dn("bob").encode()}
    link.close()


async def test_every_kind_of_group(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """Unique names, POSIX members by name, the primary POSIX group, and all of them nested in a fourth."""
    slapd.modify(
        f"dn: {person_dn('alice')}\nchangetype: modify\nadd: objectClass\nobjectClass: posixAccount\n-\n"
        "add: uidNumber\nuidNumber: 1001\n-\nadd: gidNumber\ngidNumber: 500\n-\n"
        "add: homeDirectory\nhomeDirectory: /home/alice\n"
    )
    slapd.add_all(
        f"dn: {group_dn('unique')}\nobjectClass: groupOfUniqueNames\ncn: unique\n"
        f"uniqueMember: {person_dn('alice')}\n\n"
        f"dn: {group_dn('posix')}\nobjectClass: posixGroup\ncn: posix\ngidNumber: 501\nmemberUid: alice\n\n"
        f"dn: {group_dn('primary')}\nobjectClass: posixGroup\ncn: primary\ngidNumber: 500\n\n"
        f"dn: {group_dn('other')}\nobjectClass: posixGroup\ncn: other\ngidNumber: 5\nmemberUid: Alice\n\n"
        + group_of_names("above", group_dn("unique"), group_dn("primary"))
    )
    directory = make_directory(table(slapd))
    assert await groups_of(directory) == {"unique": (), "posix": (), "primary": (), "above": ("unique",)}
    await same_in_memory(directory, "alice", "bob")
    only = make_directory(table(slapd, group_kinds=["groupOfUniqueNames"]))
    assert await groups_of(only) == {"unique": ()}
    await same_in_memory(only, "alice", "bob")
    unix = make_directory(table(slapd, group_kinds=["posixGroup"]))
    assert await groups_of(unix) == {"posix": (), "primary": ()}
    await same_in_memory(unix, "alice", "bob")


async def test_names_that_mean_something_to_a_filter(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """LDP-03: commas, stars, brackets, backslashes and accents in DNs of people and groups do no harm."""
    for number, odd in enumerate(("Doe\\, J (*)", "a\\\\b\\+c", "\\#x=y", "Zoë 语", "*")):
        slapd.add(f"odd{number}", rdn=f"cn={odd}")
        dn = f"cn=g{odd},{GROUPS}"
        cn = b64encode(
            f"g{odd}".replace("\\\\", "\x00").replace("\\", "").replace("\x00", "\\").encode()
        ).decode()
        slapd.add_all(
            f"dn:: {b64encode(dn.encode()).decode()}\nobjectClass: groupOfNames\ncn:: {cn}\n"
            f"member:: {b64encode(f'cn={odd},{PEOPLE}'.encode()).decode()}\n\n"
            f"dn: {group_dn(f'above{number}')}\nobjectClass: groupOfNames\ncn: above{number}\n"
            f"member:: {b64encode(dn.encode()).decode()}\n"
        )
    directory = make_directory(table(slapd))
    for number in range(5):
        groups = (await directory.groups(await account_of(directory, f"odd{number}"))).groups
        inner, above = groups
        assert (above.name, above.via) == (f"above{number}", (inner.name,))
        for named in (inner.id, inner.name):
            found = await directory.group(named)
            assert found == inner, named
    await same_in_memory(directory, *(f"odd{number}" for number in range(5)))


async def test_groups_that_the_server_lists(make_slapd: MakeSlapd, make_directory: MakeDirectory) -> None:
    """With the memberOf overlay the groups are those that the entries list, nested and in a circle."""
    slapd = make_slapd(parts=MEMBER_OF)
    slapd.add_all(
        group_of_names("web", person_dn("alice"))
        + group_of_names("operators", group_dn("web"))
        + group_of_names("admins", group_dn("operators"))
        + f"dn: {group_dn('posix')}\nobjectClass: posixGroup\ncn: posix\ngidNumber: 5\nmemberUid: alice\n\n"
    )
    slapd.modify(f"dn: {group_dn('web')}\nchangetype: modify\nadd: member\nmember: {group_dn('admins')}\n")
    directory = make_directory(table(slapd, member_of_attribute="memberOf"))
    expected = {"web": (), "operators": ("web",), "admins": ("web", "operators"), "posix": ()}
    assert await groups_of(directory) == expected
    await same_in_memory(directory, "alice", "bob")
    assert await groups_of(make_directory(table(slapd))) == expected


async def test_dynamic_groups(make_slapd: MakeSlapd, make_directory: MakeDirectory) -> None:
    """Groups whose members are a search, and what nests them, are told where the server lists them."""
    slapd = make_slapd(parts=DYNAMIC)
    slapd.add_all(
        f"dn: {group_dn('everybody')}\nobjectClass: groupOfURLs\ncn: everybody\n"
        f"memberURL: ldap:///{PEOPLE}??sub?(mail=a*)\n\n"
        + group_of_names("web", person_dn("alice"), person_dn("bob"))
        + group_of_names("operators", group_dn("web"))
    )
    kinds = ["groupOfNames", "groupOfURLs"]
    directory = make_directory(table(slapd, member_of_attribute="memberOf", group_kinds=kinds))
    assert (await groups_of(directory)).keys() == {"everybody", "web", "operators"}
    assert (await groups_of(directory, "bob")).keys() == {"web", "operators"}
    await same_in_memory(directory, "alice", "bob", "carol")
    static = make_directory(table(slapd, member_of_attribute="memberOf"))
    assert (await groups_of(static)).keys() == {"web", "operators"}
    await same_in_memory(static, "alice", "bob", "carol")


async def test_more_than_a_page_is_read_whole(make_slapd: MakeSlapd, make_directory: MakeDirectory) -> None:
    """More groups than the server gives at once come in pages, to the last one."""
    ldif = "".join(group_of_names(f"g{n}", person_dn("alice")) for n in range(1203))
    limits = f'limits dn.exact="{SERVICE_DN}" size.prtotal=unlimited\n'
    slapd = make_slapd(parts=Parts(directives=limits, ldif=ldif))
    directory = make_directory(table(slapd))
    assert len(await groups_of(directory)) == 1203
    await same_in_memory(directory, "alice")


async def test_without_group_base_there_are_no_groups(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """A directory without group settings tells that nobody is in a group."""
    slapd.add_all(group_of_names("web", person_dn("alice")))
    directory = make_directory(slapd.settings())
    assert (await directory.groups(await account_of(directory))).groups == ()
    assert await directory.group("web") is None


async def test_a_group_by_its_name(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """LDP-02: a group is found by its DN in any spelling, or its cn; by no wildcard, no DN elsewhere."""
    slapd.add_all(group_of_names("web admins", person_dn("alice")))
    directory = make_directory(table(slapd))
    dn = group_dn("web admins")
    for named in (dn, dn.upper(), dn.replace(",", " , "), "web admins", "WEB Admins"):
        found = await directory.group(named)
        assert found is not None, named
        assert (found.id, found.name) == (dn, "web admins")
    for named in ("web", "*", "web*", "web admins)(cn=*", "", "x" * 2000, person_dn("alice"), group_dn("x")):
        assert await directory.group(named) is None, named


async def test_two_groups_of_one_name(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """Two groups with one cn are an error that says to use the DN, which works."""
    slapd.add_all(
        group_of_names("web", person_dn("alice"))
        + f"dn: ou=more,{GROUPS}\nobjectClass: organizationalUnit\nou: more\n\n"
        f"dn: cn=web,ou=more,{GROUPS}\nobjectClass: groupOfNames\ncn: web\nmember: {person_dn('bob')}\n"
    )
    directory = make_directory(table(slapd))
    with pytest.raises(Unavailable, match="by its DN"):
        await directory.group("web")
    found = await directory.group(f"cn=web,ou=more,{GROUPS}")
    assert found is not None
    assert found.id == f"cn=web,ou=more,{GROUPS}"
