"""Up from member to group by what the server lists in the member's own entry (the memberOf overlay).

Quick where it is kept, and the way to what only the server can work out (dynamic groups). A group that is
listed and can not be read is no answer: what it is in would not be known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.directories.group_entries import listed_groups
from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.directories.ldap_link import Query
from nightlatch.dn import lies_under

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nightlatch.directories.dialect import Reader
    from nightlatch.directories.group_climb import Step
    from nightlatch.directories.group_entries import GroupEntries
    from nightlatch.directories.ldap_link import Entry

NOT_SHOWN = "lists a group that it does not show to the service account"


class UpByMemberOf:
    """Reads the groups that an entry lists."""

    def __init__(self, entries: GroupEntries) -> None:
        self._entries = entries

    def first(self, reader: Reader, person: Entry) -> Iterator[Step]:
        """The groups that the person's entry lists, and the POSIX groups, which list their members."""
        yield from self._read(reader, listed_groups(person, self._entries.member_of))
        filter_ = self._entries.with_unix_member(person)
        if filter_:
            for found in reader.all(self._entries.query(filter_, self._attributes)):
                yield self._entries.step(found)

    def above(self, reader: Reader, level: tuple[Step, ...]) -> Iterator[Step]:
        """The groups that the entries of a level list."""
        for member in level:
            for step in self._read(reader, member.listed):
                yield member.above(step.key, step.group.id, step.group.name, step.listed)

    @property
    def _attributes(self) -> tuple[str, ...]:
        return ("cn", "objectClass", self._entries.member_of)

    def _read(self, reader: Reader, dns: Iterable[str]) -> Iterator[Step]:
        for dn in dns:
            if not dn:
                raise NoVerdict(NOT_SHOWN)
            if lies_under(dn, self._entries.base):
                found = reader.one(
                    Query(dn, "(objectClass=*)", self._attributes, 1, only_base=True, setting="group_base")
                )
                if found is None:
                    raise NoVerdict(NOT_SHOWN)
                if self._entries.is_group(found):
                    yield self._entries.step(found)
