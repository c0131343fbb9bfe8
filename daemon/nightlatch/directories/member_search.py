"""Up from member to group by searching for the groups that name the member: what every server can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.directories.group_climb import dn_key
from nightlatch.directories.matched_values import matched_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightlatch.directories.dialect import Reader
    from nightlatch.directories.group_climb import Step
    from nightlatch.directories.group_entries import GroupEntries
    from nightlatch.directories.ldap_link import Entry

BATCH = 50
"""Members that one search asks about."""


class UpBySearch:
    """Asks for the groups that have a member."""

    def __init__(self, entries: GroupEntries) -> None:
        self._entries = entries

    def first(self, reader: Reader, person: Entry) -> Iterator[Step]:
        """The groups that name the person, and the POSIX groups."""
        parts = (self._entries.with_members([person.dn]), self._entries.with_unix_member(person))
        filter_ = "".join(parts)
        if filter_:
            for found in reader.all(self._entries.query(f"(|{filter_})", ("cn",))):
                yield self._entries.step(found)

    def above(self, reader: Reader, level: tuple[Step, ...]) -> Iterator[Step]:
        """The groups that the groups of a level are in, many asked about at once."""
        for start in range(0, len(level), BATCH):
            yield from self._above(reader, level[start : start + BATCH])

    def _above(self, reader: Reader, members: tuple[Step, ...]) -> Iterator[Step]:
        dns = [member.group.id for member in members]
        filter_, attributes = self._entries.with_members(dns), self._entries.dn_attributes
        if not filter_:
            return
        asked = ((attribute, dn) for attribute in attributes for dn in dns)
        query = self._entries.query(filter_, ("cn", *attributes), controls=(matched_values(("cn",), asked),))
        for found in reader.all(query):
            step = self._entries.step(found)
            yield self._member(found, members).above(step.key, step.group.id, step.group.name)

    def _member(self, found: Entry, members: tuple[Step, ...]) -> Step:
        """Which of the members a group names; the first, where it spells it in a way not known here."""
        values = (value for attribute in self._entries.dn_attributes for value in found.values(attribute))
        named = {dn_key(value.decode(errors="replace")) for value in values}
        return next((member for member in members if member.key in named), members[0])
