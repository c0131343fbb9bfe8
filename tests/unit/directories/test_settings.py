"""What can be configured for a directory, and what can not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from nightlatch.directories.settings import DirectorySettings, LdapSettings, PamSettings

LDAP = {
    "name": "corp",
    "kind": "ldap",
    "urls": ["ldaps://dc1.example.com", "ldaps://dc2.example.com:1636/"],
    "bind_dn": "cn=nightlatch,dc=example,dc=com",
    "bind_password_file": "/etc/nightlatch/corp.password",
    "base": "ou=people,dc=example,dc=com",
}


def _read(table: dict[str, Any]) -> DirectorySettings:
    settings: DirectorySettings = TypeAdapter(DirectorySettings).validate_python(table)
    return settings


def _problem(**changes: object) -> tuple[tuple[int | str, ...], str]:
    with pytest.raises(ValidationError) as failed:
        LdapSettings.model_validate({**LDAP, **changes})
    (error,) = failed.value.errors()
    return error["loc"], error["msg"]


def test_kind_decides() -> None:
    """One table is an LDAP or a PAM directory by its kind; unknown kinds and keys are errors."""
    assert isinstance(_read(LDAP), LdapSettings)
    assert isinstance(_read({"name": "local", "kind": "pam"}), PamSettings)
    for wrong in (
        {"name": "x", "kind": "nis"},
        {"name": "x"},
        {"name": "x", "kind": "pam", "service": "sudo"},
    ):
        with pytest.raises(ValidationError):
            _read(wrong)


def test_clear_text_is_refused_where_it_stands() -> None:
    """An ldap:// without StartTLS is refused by its place in the list, with what to write instead."""
    where, words = _problem(urls=["ldaps://dc1", "ldap://dc2"])
    assert where == ("urls", 1)
    assert (
        '"ldap://dc2" sends passwords in the clear. '
        'Write "ldaps://dc2", or keep ldap:// and set start_tls = true.'
    ) in words
    kept = LdapSettings.model_validate({**LDAP, "urls": ["ldap://dc2"], "start_tls": True})
    assert kept.start_tls


NO_HOST = ("dc1", "http://dc1", "ldaps://", "ldaps://:636", "ldapi://run", "", "ldaps://[::1")
MORE = ("ldaps://cn=x:pw@dc1", "ldaps://dc1/ou=people", "ldaps://dc1?uid", "ldaps://dc1#x", "ldaps://dc1:0")
NO_PORT = ("ldaps://dc1:99999", "ldaps://dc1:x")


@pytest.mark.parametrize("url", [*NO_HOST, *MORE, *NO_PORT])
def test_urls_that_are_none(url: str) -> None:
    """A URL with less than a host, or more than a port, is refused."""
    where, _ = _problem(urls=[url])
    assert where[0] == "urls"


@pytest.mark.parametrize("url", ["ldaps://[::1]:636", "ldapi://%2frun%2fslapd%2fldapi", "ldaps://10.0.0.1/"])
def test_urls_that_are_fine(url: str) -> None:
    """Addresses of both kinds and local sockets are servers."""
    assert LdapSettings.model_validate({**LDAP, "urls": [url]}).urls == (url,)


@pytest.mark.parametrize(
    "changes",
    [
        {"base": ""},
        {"base": "people"},
        {"bind_dn": ""},
        {"urls": []},
        {"urls": [f"ldaps://dc{number}" for number in range(9)]},
        {"urls": ["ldaps://dc1", "ldaps://dc1"]},
        {"name": "Corp"},
        {"name": "corp:a"},
        {"name": ""},
        {"user_attribute": "uid)(x=*"},
        {"user_object_class": "*"},
        {"id_attribute": ""},
        {"connect_timeout": 0},
        {"connect_timeout": float("nan")},
        {"operation_timeout": 31},
        {"workers": 65},
        {"verify": False},
        {"tls_reqcert": "never"},
    ],
    ids=str,
)
def test_values_out_of_bounds(changes: dict[str, object]) -> None:
    """Each wrong value is one problem at its own place; there is no switch against certificates."""
    where, _ = _problem(**changes)
    assert where[0] in changes


def test_base_and_account_are_required() -> None:
    """Nothing is searched from the root, or anonymously, because a line is missing."""
    for needed in ("base", "bind_dn", "bind_password_file", "urls"):
        with pytest.raises(ValidationError):
            LdapSettings.model_validate({key: value for key, value in LDAP.items() if key != needed})


def test_every_setting_is_described() -> None:
    """Each field says what it is for: the reference is made of it."""
    for model in (LdapSettings, PamSettings):
        for name, field in model.model_fields.items():
            assert field.description, name


def test_every_setting_is_in_the_guide() -> None:
    """docs/directories.md has a line for each setting of each kind."""
    guide = (Path(__file__).parents[3] / "docs" / "directories.md").read_text()
    ldap, _, pam = guide.partition("## Local accounts (PAM)")
    for text, model in ((ldap, LdapSettings), (pam, PamSettings)):
        for name in model.model_fields:
            assert f"| `{name}` |" in text, name


def test_groups_have_a_place() -> None:
    """The groups' base is a DN or nothing, their kinds are known ones, and memberOf lists dynamic ones."""
    assert LdapSettings.model_validate(LDAP).group_base == ""
    mistakes: tuple[dict[str, object], ...] = (
        {"group_base": "groups"},
        {"group_kinds": []},
        {"group_kinds": ["group"]},
        {"group_depth": 0},
    )
    for wrong in mistakes:
        (setting,) = wrong
        place, _ = _problem(**wrong)
        assert place[0] == setting
    dynamic = {"group_base": "ou=groups,dc=x", "group_kinds": ["groupOfNames", "groupOfURLs"]}
    assert "set member_of_attribute" in _problem(**dynamic)[1]
    LdapSettings.model_validate({**LDAP, **dynamic, "member_of_attribute": "memberOf"})


@pytest.mark.parametrize(
    "setting", ["phone_attribute", "mail_attribute", "language_attribute", "member_of_attribute"]
)
def test_attributes_that_may_be_left_out(setting: str) -> None:
    """They are attributes, or empty; nothing that a filter or a request would misread."""
    for fine in ("", "mobile", "x-Mobile-2"):
        LdapSettings.model_validate({**LDAP, setting: fine})
    for wrong in ("*", "+", "mobile phone", "mobile)(uid=*", "1.1", "é"):
        assert _problem(**{setting: wrong})[0] == (setting,)
