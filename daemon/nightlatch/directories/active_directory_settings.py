"""The settings of an Active Directory.

MUST 1: the rules of every LDAP server hold here too (`server_settings`), also for servers that DNS names.
MUST 2: the base lies in one domain, and that is the domain that is asked: no search anywhere else.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from nightlatch.directories.server_settings import ServerSettings, Url, distinguished_name, named_once
from nightlatch.dn import split_dn

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE | re.ASCII)
_UPN = re.compile(rf"[^\s@\\=,]+@{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE | re.ASCII)
_LONGEST_DOMAIN = 253
_DNS_PORT = 53
_GLOBAL_CATALOG = {3268, 3269}


def _is_domain(text: str) -> str:
    if len(text) > _LONGEST_DOMAIN or not _DOMAIN.fullmatch(text):
        raise ValueError(f'"{text}" is no domain. Write its DNS name, such as "example.com".')
    return text.lower()


def _has_address(text: str) -> str:
    address_and_port(text)
    return text


class ActiveDirectorySettings(ServerSettings):
    """An Active Directory domain, of Windows or Samba: search with a service account, bind as the person."""

    kind: Literal["active_directory"] = Field(description='"active_directory".')
    urls: tuple[Url, ...] = Field(
        default=(),
        max_length=8,
        description="The domain controllers in order of preference: ldaps://HOST[:PORT], or "
        "ldap://HOST[:PORT] with start_tls. Either these, or domain.",
    )
    domain: Annotated[str, AfterValidator(_is_domain)] | None = Field(
        default=None,
        description="The domain whose controllers DNS names (SRV records). Their names must lie in it, and "
        "their certificates be for these names. Either this, or urls.",
    )
    dns_servers: tuple[Annotated[str, AfterValidator(_has_address)], ...] = Field(
        default=(),
        max_length=4,
        description="The DNS servers that know domain, as ADDRESS[:PORT] or [ADDRESS6]:PORT. "
        "Left out: those of the machine.",
    )
    bind_dn: str = Field(
        description="The service account that searches: NAME@DOMAIN or its DN. It may only read."
    )
    netbios_name: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9-]{0,15}$",
        description='The domain\'s short name, such as "CORP", where people may type CORP\\name. '
        "Left out: they may not.",
    )
    name_form: Literal["directory", "lower", "qualified", "netbios"] = Field(
        default="directory",
        description="What a person is called in rules, the audit and grants, and types at a PAM service: the "
        'sAMAccountName as the "directory" spells it; as Linux hosts in the domain do it, "lower" for jdoe, '
        '"qualified" for jdoe@corp.example.com, or "netbios" for CORP\\jdoe.',
    )

    @field_validator("urls")
    @classmethod
    def _controllers(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            if url.startswith("ldapi:"):
                raise ValueError(f'"{url}" is a socket of this machine. Write "ldaps://HOST".')
            if urlsplit(url).port in _GLOBAL_CATALOG:
                raise ValueError(
                    f'"{url}" is a global catalog, which knows groups in part. Leave the port out.'
                )
        return named_once(urls)

    @field_validator("bind_dn")
    @classmethod
    def _is_account(cls, text: str) -> str:
        return text if _UPN.fullmatch(text) else distinguished_name(text)

    @field_validator("base")
    @classmethod
    def _in_a_domain(cls, text: str) -> str:
        domain_of(text)
        return text

    @model_validator(mode="after")
    def _one_way_to_the_servers(self) -> Self:
        if bool(self.urls) == bool(self.domain):
            raise ValueError(
                "name the domain controllers in one way.\n"
                'Write urls = ["ldaps://HOST"], or domain = "example.com".'
            )
        if self.dns_servers and not self.domain:
            raise ValueError("dns_servers is for finding a domain's controllers.\nSet domain, or remove it.")
        if self.name_form == "netbios" and not self.netbios_name:
            raise ValueError(
                'name_form = "netbios" needs the domain\'s short name.\nSet netbios_name = "CORP", say.'
            )
        if self.domain and domain_of(self.base) != self.domain:
            raise ValueError(
                f'base is not in the domain "{self.domain}".\n'
                f"Its last parts must be {naming_context(self.domain)}."
            )
        return self


def domain_of(base: str) -> str:
    """The DNS name of the domain that a DN lies in ("example.com"); raises ValueError for none."""
    labels = [part.removeprefix("dc=") for part in split_dn(base) if part.startswith("dc=")]
    domain = ".".join(labels)
    if not labels or split_dn(base)[-len(labels) :] != split_dn(naming_context(domain)):
        raise ValueError("a DN in a domain is expected, such as ou=people,dc=example,dc=com")
    return _is_domain(domain)


def naming_context(domain: str) -> str:
    """The DN of a domain: DC=example,DC=com."""
    return ",".join(f"DC={label}" for label in domain.split("."))


def address_and_port(text: str) -> tuple[str, int]:
    """A DNS server's address and port; raises ValueError."""
    bracketed = re.fullmatch(r"\[(.+)\](?::(\d{1,5}))?", text)
    plain = re.fullmatch(r"([^:]+)(?::(\d{1,5}))?", text)
    found = bracketed or plain
    address, port = (found[1], int(found[2] or _DNS_PORT)) if found else (text, _DNS_PORT)
    try:
        ipaddress.ip_address(address)
    except ValueError:
        port = 0
    if not 0 < port < 1 << 16:
        raise ValueError(
            f'"{text}" is no DNS server. Write its address: "10.0.0.1", "10.0.0.1:5353", "[::1]:53".'
        )
    return address, port
