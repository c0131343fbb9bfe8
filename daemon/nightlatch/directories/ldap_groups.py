"""Groups of a directory of kind "ldap": which they are, and which one has a name.

MUST 1: groups lie under group_base and are of a configured kind; nothing else is a group.
MUST 2: two groups of one name are no answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldap3.utils.conv import escape_filter_chars

from nightlatch.directories.group_climb import climb
from nightlatch.directories.group_entries import GroupEntries
from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.directories.ldap_link import Query
from nightlatch.directories.ldap_memberships import AllGroups
from nightlatch.directories.member_of import UpByMemberOf
from nightlatch.directories.member_search import UpBySearch
from nightlatch.dn import lies_under

if TYPE_CHECKING:
    from nightlatch.directories.dialect import GroupDialect, Memberships, Reader
    from nightlatch.directories.ldap_link import Entry
    from nightlatch.directories.settings import LdapSettings
    from nightlatch.model import Group


class NoGroups:
    """A directory that is configured to have no groups: everyone is in none."""

    attributes = ()

    def groups(self, reader: Reader, person: Entry) -> tuple[Group, ...]:  # noqa: ARG002 - nothing is asked
        """None."""
        return ()

    def group(self, reader: Reader, named: str) -> Group | None:  # noqa: ARG002
        """None."""
        return None

    def memberships(self, reader: Reader) -> NoGroups:  # noqa: ARG002
        """Nothing to read."""
        return self

    def of(self, person: Entry) -> tuple[Group, ...]:  # noqa: ARG002
        """None."""
        return ()


class LdapGroups:
    """Groups below group_base. Implements `nightlatch.directories.dialect.GroupDialect`."""

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._entries = GroupEntries(settings)
        self._up = UpByMemberOf(self._entries) if settings.member_of_attribute else UpBySearch(self._entries)

    @property
    def attributes(self) -> tuple[str, ...]:
        """What is read of a person to find the groups."""
        return self._entries.person_attributes

    def groups(self, reader: Reader, person: Entry) -> tuple[Group, ...]:
        """All groups of a person."""
        return climb(
            self._up.first(reader, person),
            lambda level: self._up.above(reader, level),
            self._settings.group_depth,
        )

    def group(self, reader: Reader, named: str) -> Group | None:
        """The group with this DN under group_base, else the one with this cn."""
        entries = self._entries
        if lies_under(named, entries.base):
            found = reader.one(
                Query(named, entries.classes, ("cn",), size_limit=1, only_base=True, setting="group_base")
            )
            return None if found is None else entries.step(found).group
        named_so = f"(&{entries.classes}(cn={escape_filter_chars(named)}))"
        all_named = reader.all(entries.query(named_so, ("cn",)))
        if len(all_named) > 1:
            raise NoVerdict(f"has {len(all_named)} groups with the cn that was asked for: name one by its DN")
        return entries.step(all_named[0]).group if all_named else None

    def memberships(self, reader: Reader) -> Memberships:
        """All groups, with their members."""
        groups = AllGroups(self._entries, self._settings.group_depth)
        for page in reader.pages(self._entries.query(groups.filter, groups.attributes)):
            for entry in page:
                groups.add(entry)
        return groups


def group_dialect(settings: LdapSettings) -> GroupDialect:
    """How this directory's groups are read."""
    return LdapGroups(settings) if settings.group_base else NoGroups()
