"""What a person of Active Directory is called, in each form, and what finds the person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from nightlatch.directories.active_directory_settings import ActiveDirectorySettings
from nightlatch.directories.ad_names import AdNames
from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.directories.ldap_link import Entry
from nightlatch.directories.login_names import LONGEST_NAME

DN = "CN=John Doe,OU=people,DC=Corp,DC=example,DC=com"


def settings(**changes: object) -> ActiveDirectorySettings:
    """A directory of CORP, corp.example.com."""
    table: dict[str, Any] = {
        "name": "corp",
        "kind": "active_directory",
        "urls": ("ldaps://dc1.corp.example.com",),
        "bind_dn": "nightlatch@corp.example.com",
        "bind_password_file": Path("/etc/nightlatch/corp.password"),
        "base": "OU=people,DC=Corp,DC=example,DC=com",
    }
    return ActiveDirectorySettings.model_validate({**table, **changes})


def names(form: str, name: str = "JDoe", upn: str = "", short: str = "") -> tuple[str, ...]:
    """What an entry is called."""
    attributes: dict[str, tuple[bytes, ...]] = {"samaccountname": (name.encode(),)}
    if upn:
        attributes["userprincipalname"] = (upn.encode(),)
    return AdNames(settings(name_form=form, netbios_name=short)).of(Entry(DN, attributes))


@pytest.mark.parametrize(
    ("form", "own"),
    [
        ("directory", "JDoe"),
        ("lower", "jdoe"),
        ("qualified", "jdoe@corp.example.com"),
        ("netbios", "CORP\\jdoe"),
    ],
)
def test_the_own_name_has_the_form_that_is_set(form: str, own: str) -> None:
    """It is made of the sAMAccountName and the base, whatever the userPrincipalName is."""
    for upn in ("", "john.doe@example.org", "JDoe@corp.example.com"):
        assert names(form, upn=upn, short="corp")[0] == own


def test_everything_that_finds_a_person_is_a_name() -> None:
    """MUST 2: each other form is another name, once, whatever the case of its ASCII letters."""
    upn = "john.doe@example.org"
    assert names("directory") == ("JDoe",)
    assert names("directory", upn=upn, short="CORP") == ("JDoe", upn, "CORP\\JDoe")
    assert names("lower", upn="JDOE") == ("jdoe",)
    assert names("qualified", upn=upn) == ("jdoe@corp.example.com", "JDoe", upn)
    assert names("qualified", upn="JDoe@CORP.example.com") == ("jdoe@corp.example.com", "JDoe")
    assert names("netbios", upn=upn, short="CORP") == ("CORP\\jdoe", "JDoe", upn)


def test_letters_beyond_ascii_are_made_small_and_kept() -> None:
    """Only a server can tell what it takes for the same, so the spelling that it has is a name, too."""
    assert names("lower", "MÜLLER") == ("müller", "MÜLLER")
    assert names("lower", "müller") == ("müller",)


def test_without_a_samaccountname_there_is_no_name() -> None:
    """A userPrincipalName alone makes no account; nor does a name that can not be printed."""
    for attributes in ({}, {"samaccountname": (b"a\nb",)}, {"samaccountname": (b"a", b"b")}):
        entry = Entry(DN, {**attributes, "userprincipalname": (b"jdoe@corp.example.com",)})
        assert AdNames(settings(name_form="qualified")).of(entry) == ()


def test_a_name_that_nobody_could_type_is_no_verdict() -> None:
    """The domain counts towards the length of a qualified name."""
    assert len(names("qualified", "a" * (LONGEST_NAME - len("@corp.example.com")))[0]) == LONGEST_NAME
    with pytest.raises(NoVerdict, match="very long"):
        names("qualified", "a" * LONGEST_NAME)


SAM_AND_UPN = "(|(sAMAccountName={0})(userPrincipalName={0}))"


@pytest.mark.parametrize("form", ["directory", "lower", "qualified", "netbios"])
@pytest.mark.parametrize(
    "typed", ["jdoe", "jdoe@other.example.com", "@corp.example.com", "OTHER\\jdoe", "CORP\\"]
)
def test_what_is_typed_is_looked_for_as_it_is(form: str, typed: str) -> None:
    """A name of another domain, or no name, is not taken apart."""
    escaped = typed.replace("\\", "\\5c")
    found = AdNames(settings(name_form=form, netbios_name="CORP")).filter(typed)
    assert found == SAM_AND_UPN.format(escaped)


def test_names_with_the_domain() -> None:
    r"""CORP\NAME is a sAMAccountName and nothing else; NAME@DOMAIN is one too where names are qualified."""
    for typed in ("CORP\\j*", "corp\\j*"):
        assert AdNames(settings(netbios_name="CORP")).filter(typed) == "(sAMAccountName=j\\2a)"
    typed = "j*@Corp.Example.com"
    both = "(|(sAMAccountName=j\\2a@Corp.Example.com)(userPrincipalName=j\\2a@Corp.Example.com)"
    assert AdNames(settings(name_form="qualified")).filter(typed) == f"{both}(sAMAccountName=j\\2a))"
    assert AdNames(settings(name_form="lower")).filter(typed) == f"{both})"


def test_forms_that_are_refused() -> None:
    """Another word is none, and a form with the short name needs it."""
    with pytest.raises(ValidationError, match="name_form"):
        settings(name_form="Lower")
    with pytest.raises(ValidationError, match='Set netbios_name = "CORP"'):
        settings(name_form="netbios")
