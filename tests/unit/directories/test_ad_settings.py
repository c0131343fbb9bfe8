"""The settings of an Active Directory: what is refused, and with which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from nightlatch.directories.active_directory_settings import (
    ActiveDirectorySettings,
    address_and_port,
    domain_of,
    naming_context,
)
from nightlatch.directories.settings import DirectorySettings

AD: dict[str, Any] = {
    "name": "corp",
    "kind": "active_directory",
    "urls": ["ldaps://dc1.example.com"],
    "bind_dn": "nightlatch@example.com",
    "bind_password_file": "/etc/nightlatch/corp.password",
    "base": "DC=example,DC=com",
}
FOUND: dict[str, Any] = {
    **{key: value for key, value in AD.items() if key != "urls"},
    "domain": "example.com",
}


def _problem(table: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as failed:
        TypeAdapter(DirectorySettings).validate_python(table)
    (error,) = failed.value.errors()
    return f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"


@pytest.mark.parametrize(
    "account", ["nightlatch@example.com", "svc-mfa@EXAMPLE.com", "CN=n,DC=example,DC=com"]
)
def test_the_service_account(account: str) -> None:
    """A userPrincipalName and a DN are accounts."""
    assert ActiveDirectorySettings.model_validate({**AD, "bind_dn": account}).bind_dn == account


@pytest.mark.parametrize(
    "changes",
    [
        {"bind_dn": "nightlatch"},
        {"bind_dn": "EXAMPLE\\nightlatch"},
        {"bind_dn": ""},
        {"bind_dn": "a b@example.com"},
        {"base": ""},
        {"base": "OU=people"},
        {"base": "DC=example,OU=people"},
        {"base": "OU=people,DC=exa_mple!,DC=com"},
        {"urls": ["ldap://dc1.example.com"]},
        {"urls": ["ldapi://%2frun%2fldapi"]},
        {"urls": ["ldaps://dc1:3269"]},
        {"urls": ["ldaps://dc1", "ldaps://dc1"]},
        {"netbios_name": "EXAMPLE\\"},
        {"netbios_name": "*"},
        {"user_attribute": "mail"},
        {"verify": False},
    ],
    ids=str,
)
def test_values_that_are_refused(changes: dict[str, object]) -> None:
    """Each wrong value is one problem at its own place; no password crosses a network in the clear."""
    assert next(iter(changes)) in _problem({**AD, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"urls": ["ldaps://dc1"]}, "in one way"),
        ({"base": "DC=other,DC=com"}, 'not in the domain "example.com"'),
        ({"base": "DC=sub,DC=example,DC=com"}, "must be DC=example,DC=com"),
        ({"domain": "*.example.com"}, "no domain"),
        ({"domain": ""}, "no domain"),
        ({"domain": "example.com\n"}, "no domain"),
        ({"domain": "\u212aelvin.com"}, "no domain"),
        ({"dns_servers": ["ns1.example.com"]}, "no DNS server"),
        ({"dns_servers": ["10.0.0.1:0"]}, "no DNS server"),
        ({"dns_servers": ["::1:x"]}, "no DNS server"),
    ],
    ids=str,
)
def test_discovery_that_is_refused(changes: dict[str, object], words: str) -> None:
    """A domain, its base and its DNS servers fit together, or the problem says how."""
    assert words in _problem({**FOUND, **changes})


def test_neither_urls_nor_domain() -> None:
    """No servers at all is a problem, and so are DNS servers without a domain."""
    assert "in one way" in _problem({**AD, "urls": []})
    assert "Set domain" in _problem({**AD, "dns_servers": ["10.0.0.1"]})


def test_discovery_that_is_fine() -> None:
    """A domain in any case with a base in it."""
    table = {
        **FOUND,
        "domain": "Example.COM",
        "base": "ou=People,dc=EXAMPLE,dc=com",
        "dns_servers": ["[::1]:53"],
    }
    assert ActiveDirectorySettings.model_validate(table).domain == "example.com"


def test_domains_and_dns_servers() -> None:
    """A base tells its domain and back; a DNS server has the port 53 unless it says another."""
    assert domain_of("OU=a\\,b,OU=people,DC=Corp,DC=Example,DC=com") == "corp.example.com"
    assert naming_context("corp.example.com") == "DC=corp,DC=example,DC=com"
    assert address_and_port("10.0.0.1") == ("10.0.0.1", 53)
    assert address_and_port("10.0.0.1:5353") == ("10.0.0.1", 5353)
    assert address_and_port("[2001:db8::1]") == ("2001:db8::1", 53)
    assert address_and_port("[2001:db8::1]:5353") == ("2001:db8::1", 5353)


def test_every_setting_is_described() -> None:
    """Each field says what it is for: the reference is made of it."""
    for name, field in ActiveDirectorySettings.model_fields.items():
        assert field.description, name


def test_every_setting_is_in_the_guide() -> None:
    """The section of docs/directories.md has a line for each setting."""
    guide = (Path(__file__).parents[3] / "docs" / "directories.md").read_text()
    section = guide.partition("## Active Directory\n")[2].partition("\n## ")[0]
    for name in ActiveDirectorySettings.model_fields:
        assert f"| `{name}` |" in section, name
