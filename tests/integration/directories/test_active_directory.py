"""Active Directory against a real Samba: who is found, and whose password is right."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from nightlatch.errors import Refused, Unavailable
from nightlatch.model import Secret
from testbed.samba import BASE, DOMAIN, SERVICE_DN, USERS, Samba, password_of

if TYPE_CHECKING:
    from pathlib import Path

    from structlog.testing import LogCapture

    from testbed.fixtures_active_directory import NewName
    from testbed.fixtures_directories import MakeDirectory


def _ways(samba: Samba) -> dict[str, dict[str, object]]:
    return {
        "ldaps": samba.settings(),
        "StartTLS": samba.settings(urls=[samba.url], start_tls=True),
        "service account by DN": samba.settings(bind_dn=SERVICE_DN),
    }


@pytest.mark.parametrize("way", ["ldaps", "StartTLS", "service account by DN"])
async def test_right_and_wrong_passwords(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName, way: str
) -> None:
    """Over every kind of connection: the right password passes, a wrong one is refused."""
    name = new_name("anna")
    dn = samba.add_person(name)
    directory = make_directory(_ways(samba)[way])
    anna = await directory.find(name)
    assert anna is not None
    assert (anna.directory, anna.name, anna.handle) == ("corp", name, dn)
    await directory.check_password(anna, Secret(password_of(name)))
    with pytest.raises(Refused, match="wrong password"):
        await directory.check_password(anna, Secret("something else"))
    assert "answers" in await directory.health()


async def test_the_stable_id_is_the_guid_as_microsoft_writes_it(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    """The account's id is the objectGUID, its first three parts little endian, and finds the entry."""
    name = new_name("guid")
    dn = samba.add_person(name)
    found = await make_directory(samba.settings()).find(name)
    assert found is not None
    assert found.stable_id == str(UUID(bytes_le=samba.value(dn, "objectGUID")))
    assert samba.value(f"<GUID={found.stable_id}>", "sAMAccountName") == name.encode()


async def test_every_name_of_a_person_is_one_account(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    r"""sAMAccountName, userPrincipalName, DOMAIN\name, in any case: one account, one spelling."""
    name = new_name("Petra.M")
    samba.add_person(name, userPrincipalName=f"petra.mueller.{name}@{DOMAIN}")
    directory = make_directory(samba.settings(netbios_name="NL"))
    petra = await directory.find(name)
    assert petra is not None
    assert petra.name == name
    upn = f"petra.mueller.{name}@{DOMAIN}"
    for typed in (name.lower(), name.upper(), upn, upn.upper(), f"NL\\{name}", f"nl\\{name.lower()}"):
        assert await directory.find(typed) == petra, typed
        assert (await directory.find(typed)).name == name  # type: ignore[union-attr]  # the line above
        assert (await directory.find(typed)).other_names == (upn, f"NL\\{name}")  # type: ignore[union-attr]  # as above
    for typed in (f" {name}", f"{name} ", f"{name}\u00a0", f"NL\\ {name}", "".join(map(_wide, name))):
        found = await directory.find(typed)
        assert found is None or (found.id, found.name) == (petra.id, name), typed


def _wide(character: str) -> str:
    return chr(ord(character) + 0xFEE0) if character.isalpha() else character


async def test_a_short_domain_name_that_is_not_configured(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    r"""DOMAIN\name is nobody where the domain's short name is not configured, or is another."""
    name = new_name("short")
    samba.add_person(name)
    assert await make_directory(samba.settings()).find(f"NL\\{name}") is None
    directory = make_directory(samba.settings(netbios_name="NL"))
    assert await directory.find(name) is not None
    for typed in (f"OTHER\\{name}", f"\\{name}", f"NL\\NL\\{name}", f"NL/{name}", "NL\\", "NL\\*"):
        assert await directory.find(typed) is None, typed


FILTERS = ("*", "a*", "{}*", "{})(sAMAccountName=*", "*)(|(cn=*", "{}\\2a", "{}\\00", "{}\x00", "(", "\\")
NAMES = ("{},CN=Users", "{}+cn=x", "{}\\", "CN={}", "", "{}\n", "a" * 300, "<SID=S-1-5-32-544>", "\ud800")


@pytest.mark.parametrize("typed", [*FILTERS, *NAMES])
async def test_injection_finds_nobody(samba: Samba, make_directory: MakeDirectory, typed: str) -> None:
    """LDP-02, LDP-03, IDN-05: what means something to a filter or a DN is nobody's name."""
    directory = make_directory(samba.settings(netbios_name="NL"))
    assert await directory.find("nightlatch") is not None
    assert await directory.find(typed.format("nightlatch")) is None
    assert await directory.find("NL\\" + typed.format("nightlatch")) is None


async def test_two_people_of_one_name_deny(
    samba: Samba, make_directory: MakeDirectory, directory_log: LogCapture, new_name: NewName
) -> None:
    """LDP-04: a userPrincipalName that is another's sAMAccountName lets neither in, and the log says so."""
    name = new_name("twin")
    samba.add_person(name)
    samba.add_person(f"{name}@{DOMAIN}", userPrincipalName=f"other.{name}@{DOMAIN}")
    directory = make_directory(samba.settings())
    with pytest.raises(Unavailable, match="two entries"):
        await directory.find(f"{name}@{DOMAIN}")
    assert [entry["event"] for entry in directory_log.entries] == ["directory.ambiguous"]
    assert await directory.find(name) is not None
    with pytest.raises(Unavailable, match="two entries"):
        await directory.find(f"other.{name}@{DOMAIN}")


async def test_nothing_outside_the_base(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    """LDP-04: a person outside the base is not found, and is not bound to after a move out of it."""
    unit = f"OU={new_name('unit')},{BASE}"
    samba.add(unit, "organizationalUnit", {})
    inside, outside = new_name("inside"), new_name("outside")
    dn = samba.add_person(inside, under=unit)
    samba.add_person(outside)
    directory = make_directory(samba.settings(base=unit))
    assert await directory.find(outside) is None
    account = await directory.find(inside)
    assert account is not None
    samba.rename(dn, inside, USERS)
    assert await directory.find(inside) is None
    moved = await make_directory(samba.settings()).find(inside)
    assert moved is not None
    with pytest.raises(Unavailable, match="not in it"):
        await directory.check_password(moved, Secret(password_of(inside)))


async def test_computers_and_groups_are_nobody(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    """A computer's account, and a group's name, are nobody's login name."""
    directory = make_directory(samba.settings())
    group = new_name("group")
    samba.add_group(group)
    for typed in ("dc1$", "DC1$", group, "Domain Users", "Administrators"):
        assert await directory.find(typed) is None, typed


async def test_a_person_made_anew_is_another(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    """IDN-04: who gets the names and the DN that somebody had before is another account."""
    name = new_name("carol")
    directory = make_directory(samba.settings())
    dn = samba.add_person(name)
    before = await directory.find(name)
    samba.remove(dn)
    assert await directory.find(name) is None
    samba.add_person(name)
    after = await directory.find(name)
    assert before is not None
    assert after is not None
    assert (before.handle, before.name) == (after.handle, after.name)
    assert before.stable_id != after.stable_id


async def test_a_renamed_person_is_the_same(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    """Another name at work, another login name, another place in the tree: the same account."""
    name, married = new_name("rita.old"), new_name("rita.new")
    dn = samba.add_person(name)
    directory = make_directory(samba.settings())
    before = await directory.find(name)
    unit = f"OU={new_name('unit')},{BASE}"
    samba.add(unit, "organizationalUnit", {})
    now = samba.rename(dn, married, unit)
    samba.modify(now, sAMAccountName=married, userPrincipalName=f"{married}@{DOMAIN}")
    after = await directory.find(married)
    assert before is not None
    assert after is not None
    assert (after.id, after.name, after.handle) == (before.id, married, now)
    assert await directory.find(name) is None
    await directory.check_password(after, Secret(password_of(name)))


async def test_addresses_and_language_are_offers(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    """Phones, mail and language come from the configured attributes, and from no others."""
    name = new_name("nadia")
    samba.add_person(name, mobile="+49 170 0000001", mail=f"{name}@example.com", preferredLanguage="fr-CH")
    silent = await make_directory(samba.settings()).find(name)
    named = {"phone_attribute": "mobile", "mail_attribute": "mail", "language_attribute": "preferredLanguage"}
    talking = await make_directory(samba.settings(**named)).find(name)
    assert silent is not None
    assert talking is not None
    assert (silent.contact.phones, silent.contact.mails, silent.contact.language) == ((), (), "")
    assert talking.contact.phones == ("+49 170 0000001",)
    assert talking.contact.mails == (f"{name}@example.com",)
    assert talking.contact.language == "fr-CH"


async def test_wrong_service_password(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName, tmp_path: Path
) -> None:
    """A service account that is refused is an outage, never a person's wrong password."""
    wrong = tmp_path / "password"
    wrong.write_text("wrong")
    wrong.chmod(0o600)
    directory = make_directory(samba.settings(bind_dn=SERVICE_DN, bind_password_file=str(wrong)))
    with pytest.raises(Unavailable, match="refused the service account"):
        await directory.find(new_name("whoever"))
