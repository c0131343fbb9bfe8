"""Which groups are in which, and how a person comes to be in them.

MUST 1: whoever is said to be in a group of the domain that was not read is not told any groups: NoVerdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.directories.ad_values import group_sid, integer
from nightlatch.directories.contact import plain_text
from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.dn import split_dn
from nightlatch.model import Group

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightlatch.directories.ldap_link import Entry

Key = tuple[str, ...]
"""A DN, comparable."""


class Nesting:
    """The groups of one domain. Filled, then asked."""

    def __init__(self, domain: str) -> None:
        """`domain` is the DN of the domain."""
        self._domain = split_dn(domain)
        self._keys: dict[str, Key] = {}
        self._groups: dict[Key, tuple[str, str]] = {}
        self._containing: dict[Key, list[Key]] = {}
        self._of_sid: dict[bytes, Key] = {}

    def __len__(self) -> int:
        """How many groups are known."""
        return len(self._groups)

    def add(self, entry: Entry) -> bool:
        """A group, in the groups that its entry names; False where it was known already."""
        key = self.key(entry.dn)
        if key in self._groups:
            return False
        self._groups[key] = (entry.dn, group_name(entry))
        for sid in entry.values("objectSid"):
            self._of_sid[sid] = key
        self._containing.setdefault(key, []).extend(self._named(entry))
        return True

    def put_into(self, member: str, group: str) -> None:
        """Remember that one DN is a member of another."""
        self._containing.setdefault(self.key(member), []).append(self.key(group))

    def primary(self, person: Entry) -> str | None:
        """The DN of a person's primary group, where it is known."""
        key = self._of_sid.get(primary_group(person))
        return None if key is None else self._groups[key][0]

    def groups(self, person: Entry) -> tuple[Group, ...]:
        """All groups of a person that are known to contain it, the nearest first, each by a shortest way."""
        primary = self.primary(person)
        if primary is None:
            raise NoVerdict("does not show the service account a person's primary group")
        direct = (self.key(primary), *self._containing.get(self.key(person.dn), ()), *self._named(person))
        return self._reached(direct)

    def all(self) -> tuple[Group, ...]:
        """Every group, without a way."""
        return tuple(Group(dn, name) for dn, name in self._groups.values())

    def key(self, dn: str) -> Key:
        """A DN, comparable; raises NoVerdict for what is none."""
        key = self._keys.get(dn)
        if key is None:
            try:
                key = self._keys[dn] = split_dn(dn)
            except ValueError:
                raise NoVerdict("names a member or a group by something that is no DN") from None
        return key

    def _reached(self, direct: Iterable[Key]) -> tuple[Group, ...]:
        ways: dict[Key, tuple[str, ...]] = dict.fromkeys(direct, ())
        waiting = list(ways)
        for key in waiting:  # grows while it is walked
            if key not in self._groups:
                raise NoVerdict(f"does not show the service account the group {','.join(key)}")
            way = (*ways[key], self._groups[key][1])
            for parent in self._containing.get(key, ()):
                if parent not in ways:
                    ways[parent] = way
                    waiting.append(parent)
        return tuple(Group(*self._groups[key], via=ways[key]) for key in waiting)

    def _named(self, entry: Entry) -> list[Key]:
        """The groups of this domain that an entry says it is in; those of other domains are not seen."""
        keys = [self.key(_decoded(value)) for value in entry.values("memberOf")]
        return [key for key in keys if _domain_parts(key) == self._domain]


def primary_group(person: Entry) -> bytes:
    """The SID of a person's primary group; raises NoVerdict where the entry does not show it."""
    number, sids = integer(person.values("primaryGroupID")), person.values("objectSid")
    sid = group_sid(sids[0], number) if number is not None and len(sids) == 1 else None
    if sid is None:
        raise NoVerdict("shows the service account no usable objectSid and primaryGroupID of a person")
    return sid


def group_name(entry: Entry) -> str:
    """A group's short name: its sAMAccountName, else its cn."""
    values = (*entry.values("sAMAccountName"), *entry.values("cn"))
    return next(filter(None, map(plain_text, values)), entry.dn)


def _domain_parts(key: Key) -> Key:
    """What a domain below ours does not share with it."""
    return tuple(part for part in key if part.startswith("dc="))


def _decoded(value: bytes) -> str:
    return value.decode(errors="replace")
