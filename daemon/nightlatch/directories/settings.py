"""The settings of a directory, one ``[[directories]]`` table each.

MUST 1: no setting turns the check of a certificate or of its host name off.
MUST 2: no password can be configured to cross a network in the clear.
MUST 3: the search base and the service account are always named: no search from the root, none anonymous.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from nightlatch.directories.active_directory_settings import ActiveDirectorySettings
from nightlatch.directories.server_settings import (
    AttributeName,
    DirectoryName,
    GroupCacheSeconds,
    OptionalAttribute,
    ServerSettings,
    Url,
    distinguished_name,
    named_once,
)

GroupKind = Literal["groupOfNames", "groupOfMembers", "groupOfUniqueNames", "posixGroup", "groupOfURLs"]


class LdapSettings(ServerSettings):
    """A directory that speaks LDAP: search with a service account, then bind as the person."""

    kind: Literal["ldap"] = Field(description='"ldap".')
    urls: tuple[Url, ...] = Field(
        max_length=8,
        description="The servers in order of preference: ldaps://HOST[:PORT], ldap://HOST[:PORT] with "
        "start_tls, or ldapi://SOCKET with %2f for /. The next is asked when one is away.",
    )
    bind_dn: str = Field(
        description="The service account that searches: the DN of an entry that may only read."
    )
    user_attribute: AttributeName = Field(
        default="uid", description="The attribute that holds the login name."
    )
    user_object_class: AttributeName = Field(
        default="person",
        description="The object class that every person has; entries without it are not found.",
    )
    group_base: str = Field(
        default="", description="The DN below which the groups are; empty for a directory without groups."
    )
    group_kinds: tuple[GroupKind, ...] = Field(
        default=("groupOfNames", "groupOfMembers", "groupOfUniqueNames", "posixGroup"),
        description="The object classes of groups: groupOfNames and groupOfMembers (member), "
        "groupOfUniqueNames (uniqueMember), posixGroup (memberUid, and gidNumber for the primary group), "
        "groupOfURLs (dynamic groups, with member_of_attribute alone).",
    )
    member_of_attribute: OptionalAttribute = Field(
        default="",
        description='The attribute in which the server keeps the groups of each entry, such as "memberOf"; '
        "empty: the groups are searched by their members.",
    )
    group_depth: int = Field(
        default=10,
        ge=1,
        le=64,
        description="How many levels of groups in groups there are at most; more are an error, for nobody to "
        "lose a group.",
    )
    id_attribute: AttributeName = Field(
        default="entryUUID",
        description="The attribute that stays the same for the life of an entry and is never reused.",
    )

    @field_validator("urls")
    @classmethod
    def _named_once(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        if not urls:  # not by min_length, which would complain about a wrong URL once more
            raise ValueError('no server is named. Write urls = ["ldaps://HOST"].')
        return named_once(urls)

    @field_validator("bind_dn")
    @classmethod
    def _is_dn(cls, text: str) -> str:
        return distinguished_name(text)

    @model_validator(mode="after")
    def _dynamic_groups_are_listed(self) -> Self:
        if "groupOfURLs" in self.group_kinds and not self.member_of_attribute:
            raise ValueError(
                "the members of groupOfURLs are known to the server alone: set member_of_attribute as well, "
                "to the attribute in which it lists them, or leave groupOfURLs out of group_kinds."
            )
        return self

    @field_validator("group_kinds")
    @classmethod
    def _some(cls, kinds: tuple[GroupKind, ...]) -> tuple[GroupKind, ...]:
        if not kinds:  # not by min_length, which would complain about a wrong kind once more
            raise ValueError("no kind is named. Leave group_kinds out for all, or group_base for no groups.")
        return kinds

    @field_validator("group_base")
    @classmethod
    def _is_dn_or_empty(cls, text: str) -> str:
        return distinguished_name(text) if text else text


class PamSettings(BaseModel):
    """The accounts of this machine, checked by PAM in the process nightlatch-pamcheck."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: DirectoryName = Field(
        description="The name in logs, rules and account ids: lower-case letters, digits, dashes. "
        "Changing it later makes every account of this directory a new one."
    )
    kind: Literal["pam"] = Field(description='"pam".')
    socket: Path = Field(
        default=Path("/run/nightlatch/pamcheck.sock"), description="The socket of nightlatch-pamcheck."
    )
    timeout: float = Field(
        default=5.0, ge=0.1, le=30, description="Seconds for one look-up, and for the check of one password."
    )
    max_lookups: int = Field(
        default=4,
        ge=1,
        le=64,
        description="How many names are looked up at the same time; each takes a thread.",
    )
    max_checks: int = Field(
        default=64,
        ge=1,
        le=128,
        description="How many passwords are checked at the same time; each takes a process.",
    )
    group_cache_seconds: GroupCacheSeconds = 60


DirectorySettings = Annotated[
    LdapSettings | ActiveDirectorySettings | PamSettings, Field(discriminator="kind")
]
"""One ``[[directories]]`` table, told apart by ``kind``."""
