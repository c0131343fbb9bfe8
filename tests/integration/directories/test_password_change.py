"""Passwords are changed in a real slapd and a real Samba domain, and the new one is the one that counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Conflict, PasswordNotTaken, Refused, Unavailable
from nightlatch.model import Secret
from testbed.own_account import OWN_PASSWORD
from testbed.samba import SERVICE_DN as AD_SERVICE
from testbed.samba import Samba
from testbed.samba import password_of as ad_password_of
from testbed.slapd import SERVICE_DN, SUFFIX, Parts, password_of, person_dn
from testbed.slapd_policy import must_change, policy_parts

if TYPE_CHECKING:
    from nightlatch.model import Account
    from nightlatch.ports import Directory
    from testbed.fixtures_active_directory import NewName
    from testbed.fixtures_directories import MakeDirectory, MakeSlapd

NEW = Secret("A-new-Passwörd-1 " + "x" * 20)
RESETTING = (
    f'access to attrs=userPassword by dn.exact="{SERVICE_DN}" =w by self =xw by anonymous auth by * none\n'
)
RULES = f"""dn: cn=default,{SUFFIX}
changetype: modify
add: pwdMinLength
pwdMinLength: 8
-
add: pwdCheckQuality
pwdCheckQuality: 2
-
add: pwdInHistory
pwdInHistory: 3
"""


async def _find(directory: Directory, name: str) -> Account:
    account = await directory.find(name)
    assert account is not None
    return account


async def _counts(directory: Directory, account: Account, right: Secret, wrong: Secret) -> None:
    await directory.check_password(account, right)
    with pytest.raises(Refused):
        await directory.check_password(account, wrong)


async def test_openldap_takes_another_password_from_its_person(
    make_slapd: MakeSlapd, make_directory: MakeDirectory
) -> None:
    """RFC 3062 as the person: the new password counts, the old one no more; a wrong one changes nothing."""
    directory = make_directory(make_slapd(parts=Parts(first_access=OWN_PASSWORD)).settings())
    alice, old = await _find(directory, "alice"), Secret(password_of("alice"))
    with pytest.raises(Refused, match="wrong password"):
        await directory.change_password(alice, Secret("something else"), NEW)
    await directory.check_password(alice, old)
    await directory.change_password(alice, old, NEW)
    await _counts(directory, alice, NEW, old)


async def test_openldap_without_the_right_to_write_is_an_outage(
    make_slapd: MakeSlapd, make_directory: MakeDirectory
) -> None:
    """Where the server lets nobody write passwords, that is nobody's wrong password."""
    directory = make_directory(make_slapd().settings())
    alice = await _find(directory, "alice")
    with pytest.raises(Unavailable, match="was not changed"):
        await directory.change_password(alice, Secret(password_of("alice")), NEW)
    await directory.check_password(alice, Secret(password_of("alice")))


async def test_openldap_tells_why_a_password_is_not_taken(
    make_slapd: MakeSlapd, make_directory: MakeDirectory
) -> None:
    """The password policy's errors become words: too short, used before, too young."""
    slapd = make_slapd(parts=replace(policy_parts(), first_access=OWN_PASSWORD))
    slapd.modify(RULES)
    directory = make_directory(slapd.settings())
    alice, old = await _find(directory, "alice"), Secret(password_of("alice"))
    with pytest.raises(PasswordNotTaken, match="too short"):
        await directory.change_password(alice, old, Secret("short"))
    await directory.change_password(alice, old, NEW)
    with pytest.raises(PasswordNotTaken, match="had this password before"):
        await directory.change_password(alice, NEW, old)
    slapd.modify(f"dn: cn=default,{SUFFIX}\nchangetype: modify\nadd: pwdMinAge\npwdMinAge: 3600\n")
    with pytest.raises(PasswordNotTaken, match="changed not long ago"):
        await directory.change_password(alice, NEW, Secret("Another-new-one-7"))
    await _counts(directory, alice, NEW, old)


async def test_openldap_takes_the_password_that_has_to_be_changed(
    make_slapd: MakeSlapd, make_directory: MakeDirectory
) -> None:
    """A person who must change the password can do just that."""
    slapd = make_slapd(parts=replace(policy_parts(), first_access=OWN_PASSWORD))
    slapd.modify(must_change("bob"))
    directory = make_directory(slapd.settings())
    bob = await _find(directory, "bob")
    await directory.change_password(bob, Secret(password_of("bob")), NEW)
    await _counts(directory, bob, NEW, Secret(password_of("bob")))


async def test_openldap_sets_a_password_anew_only_where_that_is_configured(
    make_slapd: MakeSlapd, make_directory: MakeDirectory
) -> None:
    """The service account sets a password with may_reset_passwords, and never without."""
    slapd = make_slapd(parts=Parts(first_access=RESETTING))
    alice = await _find(make_directory(slapd.settings()), "alice")
    with pytest.raises(Conflict, match="not set anew"):
        await make_directory(slapd.settings()).change_password(alice, None, NEW)
    directory = make_directory(slapd.settings(may_reset_passwords=True))
    await directory.change_password(alice, None, NEW)
    await _counts(directory, alice, NEW, Secret(password_of("alice")))
    assert person_dn("alice") == alice.handle


async def test_samba_takes_another_password_from_its_person(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    """By unicodePwd as the person: the new password counts, the old one no more; rules are told."""
    name = new_name("paul")
    samba.add_person(name)
    directory = make_directory(samba.settings())
    paul, old = await _find(directory, name), Secret(ad_password_of(name))
    with pytest.raises(Refused):
        await directory.change_password(paul, Secret("something else"), NEW)
    with pytest.raises(PasswordNotTaken, match="password rules"):
        await directory.change_password(paul, old, Secret("x"))
    await directory.check_password(paul, old)
    await directory.change_password(paul, old, NEW)
    await _counts(directory, paul, NEW, old)


async def test_samba_sets_a_password_anew_where_the_service_account_may(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    """Without the right to reset it is an outage; with it the new password counts."""
    name = new_name("quinn")
    dn = samba.add_person(name)
    directory = make_directory(samba.settings(may_reset_passwords=True))
    quinn = await _find(directory, name)
    with pytest.raises(Unavailable, match="was not changed"):
        await directory.change_password(quinn, None, NEW)
    samba.let_reset(dn, AD_SERVICE)
    await directory.change_password(quinn, None, NEW)
    await _counts(directory, quinn, NEW, Secret(ad_password_of(name)))
