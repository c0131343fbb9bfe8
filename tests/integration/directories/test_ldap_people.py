"""Everyone in a real slapd, page by page; how they can be reached, and who they stay."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Unavailable
from nightlatch.model import Contact, Group, Secret
from testbed.ports import free_port
from testbed.process import wait_until
from testbed.slapd import (
    GROUPS,
    SERVICE_DN,
    SUFFIX,
    Parts,
    Slapd,
    group_dn,
    group_of_names,
    password_of,
    person_dn,
)

if TYPE_CHECKING:
    from nightlatch.model import Person
    from nightlatch.ports import Directory
    from testbed.fixtures_directories import MakeDirectory, MakeSlapd

MANY = tuple(f"p{number}" for number in range(1203))
UNLIMITED = f'limits dn.exact="{SERVICE_DN}" size.prtotal=unlimited\n'


async def _pages(directory: Directory) -> list[tuple[Person, ...]]:
    return [page async for page in directory.people()]


async def test_everyone_is_told_once(make_slapd: MakeSlapd, make_directory: MakeDirectory) -> None:
    """All people come, each once, in pages, as the same accounts and with the same groups as one by one."""
    ldif = group_of_names("even", *(person_dn(uid) for uid in MANY[::2])) + group_of_names(
        "all", group_dn("even")
    )
    slapd = make_slapd(MANY, Parts(directives=UNLIMITED, ldif=ldif))
    slapd.add("mallory", under=f"ou=elsewhere,{SUFFIX}")
    directory = make_directory(slapd.settings(group_base=GROUPS))
    pages = await _pages(directory)
    assert [len(page) for page in pages] == [500, 500, 203]
    people = {person.account.name: person for page in pages for person in page}
    assert people.keys() == set(MANY)
    both = (Group(group_dn("even"), "even"), Group(group_dn("all"), "all", ("even",)))
    assert all(people[uid].groups == both for uid in MANY[::2])
    assert all(people[uid].groups == () for uid in MANY[1::2])
    for uid in ("p0", "p1", "p1202"):
        account = await directory.find(uid)
        assert account is not None
        assert (people[uid].account, people[uid].account.handle) == (account, account.handle)
        assert people[uid].groups == (await directory.groups(account)).groups


async def test_a_part_of_the_people_is_an_outage(
    make_slapd: MakeSlapd, make_directory: MakeDirectory
) -> None:
    """A server that stops at its size limit has not told everyone: unavailable, with what to change there."""
    directory = make_directory(make_slapd(MANY).settings())
    with pytest.raises(Unavailable, match="raise the size limits"):
        await _pages(directory)


async def test_a_server_that_goes_away_in_the_middle(
    make_slapd: MakeSlapd, make_directory: MakeDirectory
) -> None:
    """A server that stops between two pages is unavailable; the next reading begins anew and is whole."""
    slapd = make_slapd(MANY, Parts(directives=UNLIMITED))
    directory = make_directory(slapd.settings())
    people = directory.people()
    assert len(await anext(people)) == 500
    slapd.restart()
    with pytest.raises(Unavailable, match="closed the connection"):
        await anext(people)
    assert sum(map(len, await _pages(directory))) == len(MANY)


async def test_who_stops_reading_leaves_nothing_behind(
    make_slapd: MakeSlapd, make_directory: MakeDirectory
) -> None:
    """A reading that is given up closes its connection; logins go on beside one, even with one worker."""
    slapd = make_slapd(MANY, Parts(directives=UNLIMITED))
    directory = make_directory(slapd.settings(workers=1))
    people = directory.people()
    await anext(people)
    account = await directory.find("p7")
    assert account is not None
    await directory.check_password(account, Secret(password_of("p7")))
    before = slapd.log().count(" closed")
    await people.aclose()  # type: ignore[attr-defined]  # an async generator
    await asyncio.to_thread(
        wait_until, lambda: slapd.log().count(" closed") == before + 1, "a closed connection"
    )


async def test_the_next_server_is_asked(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """LDP-07: with the first server away, groups and everyone come from the second."""
    slapd.add_all(group_of_names("web", person_dn("alice")))
    away = f"ldaps://127.0.0.1:{free_port()}"
    directory = make_directory(slapd.settings(urls=[away, slapd.tls_url], group_base=GROUPS))
    (page,) = await _pages(directory)
    assert len(page) == 4
    alice = await directory.find("alice")
    assert alice is not None
    assert [group.name for group in (await directory.groups(alice)).groups] == ["web"]
    found = await directory.group("WEB")
    assert found is not None


async def test_a_person_without_an_id_is_no_reading(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """Where one entry has no stable id, everyone is unavailable, and the setting is named."""
    slapd.modify(f"dn: {person_dn('bob')}\nchangetype: modify\nadd: employeeNumber\nemployeeNumber: 7\n")
    directory = make_directory(slapd.settings(id_attribute="employeeNumber"))
    with pytest.raises(Unavailable, match="employeeNumber"):
        await _pages(directory)


CONTACT = {"phone_attribute": "mobile", "mail_attribute": "mail", "language_attribute": "preferredLanguage"}


def _line(attribute: str, value: str | bytes) -> str:
    raw = value if isinstance(value, bytes) else value.encode()
    return f"add: {attribute}\n{attribute}:: {b64encode(raw).decode()}\n-\n"


async def test_contact(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """Phones, mails and the first language come with the account, where attributes are configured."""
    slapd.modify(
        f"dn: {person_dn('alice')}\nchangetype: modify\n"
        + _line("mobile", "+41 79 000 00 00")
        + _line("mobile", "+1 555 0100")
        + _line("preferredLanguage", "fr-CH, en-gb;q=0.8, de;q=0.7")
    )
    alice = await make_directory(slapd.settings(**CONTACT)).find("alice")
    assert alice is not None
    assert alice.contact == Contact(("+41 79 000 00 00", "+1 555 0100"), ("alice@example.test",), "fr-CH")
    plain = await make_directory(slapd.settings()).find("alice")
    assert plain is not None
    assert plain.contact == Contact()
    assert plain == alice


async def test_contact_has_bounds(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """Of an entry that its owner has filled with rubbish at most five short, printable values are taken."""
    lines = "".join(_line("mail", f"a{number}@example.test") for number in range(9))
    slapd.modify(
        f"dn: {person_dn('bob')}\nchangetype: modify\ndelete: mail\n-\n"
        + _line("mail", "x" * 250 + "@example.test")
        + _line("mail", "evil\r\nBcc: x@example.test")
        + lines
        + _line("preferredLanguage", "../../etc")
    )
    bob = await make_directory(slapd.settings(**CONTACT)).find("bob")
    assert bob is not None
    assert len(bob.contact.mails) == 5
    assert all(mail.startswith("a") and mail.endswith("@example.test") for mail in bob.contact.mails)
    assert (bob.contact.phones, bob.contact.language) == ((), "")


async def test_a_renamed_person_stays_the_same(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """Renamed and moved in the tree, a person is the same account under the new name; nobody has the old."""
    directory = make_directory(slapd.settings())
    before = await directory.find("alice")
    units = f"dn: ou=more,ou=people,{SUFFIX}\nobjectClass: organizationalUnit\nou: more\n"
    slapd.add_all(units)
    slapd.modify(
        f"dn: {person_dn('alice')}\nchangetype: modrdn\nnewrdn: uid=alicia\ndeleteoldrdn: 1\n"
        f"newsuperior: ou=more,ou=people,{SUFFIX}\n"
    )
    after = await directory.find("Alicia")
    assert before is not None
    assert after is not None
    assert (after.id, after.name) == (before.id, "alicia")
    assert await directory.find("alice") is None
    await directory.check_password(after, Secret(password_of("alice")))
