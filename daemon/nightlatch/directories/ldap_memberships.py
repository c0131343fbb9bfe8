"""All groups of a directory of kind "ldap" in memory, to tell everybody's at once.

It keeps a key for each member of each group: about 200 bytes a membership.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from nightlatch.directories.contact import plain_text
from nightlatch.directories.group_climb import Step, climb, dn_key
from nightlatch.directories.group_entries import listed_groups, primary_gids, unix_names
from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.directories.member_of import NOT_SHOWN
from nightlatch.dn import lies_under

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nightlatch.directories.group_climb import DnKey
    from nightlatch.directories.group_entries import GroupEntries
    from nightlatch.directories.ldap_link import Entry
    from nightlatch.model import Group


class AllGroups:
    """Groups by their members. Implements `nightlatch.directories.dialect.Memberships`."""

    def __init__(self, entries: GroupEntries, deepest: int) -> None:
        self._entries = entries
        self._deepest = deepest
        self._steps: dict[DnKey, Step] = {}
        self._others: set[DnKey | None] = set()
        self._of_member: dict[DnKey, list[DnKey]] = defaultdict(list)
        self._of_name: dict[str, list[DnKey]] = defaultdict(list)
        self._of_gid: dict[str, list[DnKey]] = defaultdict(list)
        self._keys: dict[bytes, DnKey | None] = {}

    @property
    def attributes(self) -> tuple[str, ...]:
        """What is read of a group."""
        members = (self._entries.member_of,) if self._entries.member_of else self._entries.dn_attributes
        unix = ("memberUid", "gidNumber") if self._entries.by_uid else ()
        return ("cn", "objectClass", *members, *unix)

    @property
    def filter(self) -> str:
        """Which entries are read: with memberOf all, to tell one that is no group from one that is hidden."""
        return "(objectClass=*)" if self._entries.member_of else self._entries.classes

    def add(self, entry: Entry) -> None:
        """Take in one group; of another entry only that it is there."""
        if self._entries.member_of and not self._entries.is_group(entry):
            self._others.add(dn_key(entry.dn))
            return
        step = self._entries.step(entry)
        self._steps[step.key] = step
        if not self._entries.member_of:
            for attribute in self._entries.dn_attributes:
                for member in entry.values(attribute):
                    key = self._key(member)
                    if key is not None:
                        self._of_member[key].append(step.key)
        if self._entries.by_uid and b"posixgroup" in (value.lower() for value in entry.values("objectClass")):
            for name in entry.values("memberUid"):
                self._of_name[plain_text(name)].append(step.key)
            for gid in entry.values("gidNumber"):
                self._of_gid[plain_text(gid)].append(step.key)

    def of(self, person: Entry) -> tuple[Group, ...]:
        """All groups of a person."""
        return climb(self._first(person), self._above, self._deepest)

    def _first(self, person: Entry) -> Iterator[Step]:
        listed = listed_groups(person, self._entries.member_of)
        direct = [*self._listed(listed), *self._of_member.get(self._key(person.dn.encode()) or (), ())]
        if self._entries.by_uid:
            direct += (key for name in unix_names(person) for key in self._of_name.get(name, ()))
            direct += (key for gid in primary_gids(person) for key in self._of_gid.get(gid, ()))
        return (self._steps[key] for key in direct)

    def _above(self, level: tuple[Step, ...]) -> Iterator[Step]:
        for member in level:
            for key in (*self._listed(member.listed), *self._of_member.get(member.key, ())):
                step = self._steps[key]
                yield member.above(key, step.group.id, step.group.name, step.listed)

    def _listed(self, dns: Iterable[str]) -> Iterator[DnKey]:
        for dn in dns:
            key = self._key(dn.encode())
            if key in self._steps:
                yield key
            elif key is None or (key not in self._others and lies_under(dn, self._entries.base)):
                raise NoVerdict(NOT_SHOWN)

    def _key(self, dn: bytes) -> DnKey | None:
        if dn not in self._keys:
            self._keys[dn] = dn_key(dn.decode(errors="replace"))
        return self._keys[dn]
