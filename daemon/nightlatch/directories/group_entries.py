"""The entries of groups in a directory of kind "ldap": how they are asked for, and what one says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldap3.utils.conv import escape_filter_chars

from nightlatch.directories.contact import plain_text
from nightlatch.directories.group_climb import Step, dn_key
from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.directories.ldap_link import Query
from nightlatch.dn import lies_under
from nightlatch.model import Group

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightlatch.directories.ldap_link import Control, Entry
    from nightlatch.directories.settings import LdapSettings

BY_DN: dict[str, str] = {
    "groupOfNames": "member",
    "groupOfMembers": "member",
    "groupOfUniqueNames": "uniqueMember",
}
"""The attribute with the members' DNs (RFC 4519; RFC 2307bis for groupOfMembers)."""
BY_UID = "posixGroup"
"""Members by login name in memberUid; and those with its gidNumber as their own (RFC 2307)."""

MOST_GROUPS = 200_000
"""More groups in one answer are an error in the filter."""


class GroupEntries:
    """What is configured of groups, as filters and attributes."""

    def __init__(self, settings: LdapSettings) -> None:
        self.base = settings.group_base
        self._kinds = frozenset(kind.lower().encode() for kind in settings.group_kinds)
        self.classes = "(|" + "".join(f"(objectClass={kind})" for kind in settings.group_kinds) + ")"
        self.by_dn = {kind: BY_DN[kind] for kind in settings.group_kinds if kind in BY_DN}
        self.by_uid = BY_UID in settings.group_kinds
        self.member_of = settings.member_of_attribute

    @property
    def person_attributes(self) -> tuple[str, ...]:
        """What is read of a person."""
        unix = ("uid", "gidNumber") if self.by_uid else ()
        return (*unix, self.member_of) if self.member_of else unix

    @property
    def dn_attributes(self) -> tuple[str, ...]:
        """The attributes with members' DNs, each once."""
        return tuple(dict.fromkeys(self.by_dn.values()))

    def query(self, filter_: str, attributes: tuple[str, ...], controls: tuple[Control, ...] = ()) -> Query:
        """A search for groups."""
        return Query(self.base, filter_, attributes, MOST_GROUPS, controls=controls, setting="group_base")

    def with_members(self, dns: Iterable[str]) -> str:
        """The filter for the groups that one of these is in; empty where members have no DNs."""
        values = [escape_filter_chars(dn) for dn in dns]
        kinds = []
        for kind, attribute in self.by_dn.items():
            members = "".join(f"({attribute}={value})" for value in values)
            kinds.append(f"(&(objectClass={kind})(|{members}))")
        return f"(|{''.join(kinds)})" if kinds else ""

    def with_unix_member(self, person: Entry) -> str:
        """The filter for the POSIX groups of a person; empty for none."""
        if not self.by_uid:
            return ""
        named = [f"(memberUid={escape_filter_chars(uid)})" for uid in unix_names(person)]
        primary = [f"(gidNumber={escape_filter_chars(gid)})" for gid in primary_gids(person)]
        return f"(&(objectClass={BY_UID})(|{''.join(named + primary)}))" if named or primary else ""

    def is_group(self, entry: Entry) -> bool:
        """Whether an entry, read with its objectClass, is of a configured kind."""
        return any(value.lower() in self._kinds for value in entry.values("objectClass"))

    def step(self, entry: Entry) -> Step:
        """A group that was found."""
        key, names = dn_key(entry.dn), [plain_text(value) for value in entry.values("cn")]
        if key is None or not lies_under(entry.dn, self.base):
            raise NoVerdict("found a group from outside group_base; none counts")
        if not names or not names[0]:
            raise NoVerdict("shows the service account a group without a cn that can be read")
        return Step(key, Group(entry.dn, names[0]), listed_groups(entry, self.member_of))


def listed_groups(entry: Entry, member_of: str) -> tuple[str, ...]:
    """The DNs that an entry's memberOf lists; none where it is not configured."""
    return tuple(plain_text(value) for value in entry.values(member_of)) if member_of else ()


def unix_names(person: Entry) -> tuple[str, ...]:
    """The names that a memberUid may call the person by, letter by letter (caseExactIA5Match)."""
    names = (plain_text(value) for value in person.values("uid"))
    return tuple(name for name in names if name and name.isascii())


def primary_gids(person: Entry) -> tuple[str, ...]:
    """The number of the person's own group."""
    numbers = (plain_text(value) for value in person.values("gidNumber"))
    return tuple(number for number in numbers if number.isascii() and number.isdecimal())
