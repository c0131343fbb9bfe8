"""What the settings of all directories with LDAP servers share.

MUST 1: no setting turns the check of a certificate or of its host name off.
MUST 2: no password can be configured to cross a network in the clear.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from nightlatch.dn import split_dn

DirectoryName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
GroupCacheSeconds = Annotated[
    int,
    Field(
        ge=0,
        le=600,
        description="For how many seconds a person's groups are kept before they are read again; 0 for not "
        "at all. A membership that was ended counts for so long.",
    ),
]
AttributeName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]
OptionalAttribute = Annotated[str, Field(pattern=r"^([A-Za-z][A-Za-z0-9-]{0,63})?$")]

_PORTS = {"ldap": 389, "ldaps": 636}


def _checked_url(url: str, info: ValidationInfo) -> str:
    """Refuse what is no LDAP server, and what would send a password in the clear (MUST 2)."""
    parts = urlsplit(url)
    if "@" in parts.netloc:  # not repeated: what stands before the @ may be a password
        raise ValueError("an account does not belong in the URL. Name it in bind_dn and bind_password_file.")
    if parts.scheme not in {"ldap", "ldaps", "ldapi"} or not parts.netloc:
        raise ValueError(
            f'"{url}" is no LDAP server. Write "ldaps://HOST", or "ldapi://%2frun%2f…" for a local socket.'
        )
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(
            f'"{url}" has more than a host and a port. The base, the account and the rest have settings.'
        )
    if parts.scheme == "ldapi":
        if not unquote(parts.netloc).startswith("/"):
            raise ValueError(
                f'"{url}" names no socket. Write its path with %2f for /, such as "ldapi://%2frun%2fldapi".'
            )
        return url
    try:
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f'"{url}" has no usable host or port.')
    start_tls = info.data.get("start_tls", False)
    if parts.scheme == "ldap" and not start_tls:
        raise ValueError(
            f'"{url}" sends passwords in the clear. '
            f'Write "ldaps://{parts.netloc}", or keep ldap:// and set start_tls = true.'
        )
    return url


Url = Annotated[str, AfterValidator(_checked_url)]


class ServerSettings(BaseModel):
    """How LDAP servers are reached, and who asks them for what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: DirectoryName = Field(
        description="The name in logs, rules and account ids: lower-case letters, digits, dashes. "
        "Changing it later makes every account of this directory a new one."
    )
    start_tls: bool = Field(
        default=False,
        description="Whether ldap:// connections are turned into TLS before anything else is sent.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="The CAs that may sign the servers' certificates, in PEM. Left out: the system's.",
    )
    bind_password_file: Path = Field(
        description="The file with the service account's password on its one line; not readable by others."
    )
    base: str = Field(description="The DN below which the people are. Nothing above it is ever looked at.")
    phone_attribute: OptionalAttribute = Field(
        default="", description="The attribute with the person's phone numbers; empty for none."
    )
    mail_attribute: OptionalAttribute = Field(
        default="", description="The attribute with the person's mail addresses; empty for none."
    )
    language_attribute: OptionalAttribute = Field(
        default="",
        description='The attribute with the person\'s language, such as "preferredLanguage"; empty for none.',
    )
    connect_timeout: float = Field(
        default=3.0, ge=0.1, le=10, description="Seconds for a connection to one server, TLS included."
    )
    operation_timeout: float = Field(
        default=5.0, ge=0.1, le=30, description="Seconds for the answer to one search or bind."
    )
    workers: int = Field(
        default=8, ge=1, le=64, description="How many requests this directory works on at the same time."
    )
    may_reset_passwords: bool = Field(
        default=False,
        description="Whether a forgotten password may be set anew here, behind a code to the security email "
        "and a second factor. The service account must have the right to set passwords.",
    )
    group_cache_seconds: GroupCacheSeconds = 60

    @field_validator("base")
    @classmethod
    def _base_is_dn(cls, text: str) -> str:
        return distinguished_name(text)


def named_once(urls: tuple[str, ...]) -> tuple[str, ...]:
    """The URLs, none of them twice; raises ValueError."""
    twice = sorted({url for url in urls if urls.count(url) > 1})
    if twice:
        raise ValueError(f'"{twice[0]}" is there twice. Each server once is enough.')
    return urls


def distinguished_name(text: str) -> str:
    """A text that is a DN, as it is; raises ValueError for another."""
    split_dn(text)
    return text


def default_port(scheme: str) -> int:
    """The port of ldap:// and ldaps:// where the URL names none (RFC 4516)."""
    return _PORTS[scheme]
