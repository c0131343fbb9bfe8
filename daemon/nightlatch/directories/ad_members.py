"""All groups of a domain with their members, read once to answer for everyone.

MUST 1: of a group with many members all are read: a server tells so many at once and no more, and says
        so only in the attribute's name ("member;range=0-1499", MS-ADTS 3.1.1.3.1.3.3).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nightlatch.directories.ad_nesting import Nesting
from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.directories.ldap_link import Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightlatch.directories.dialect import Reader
    from nightlatch.directories.ldap_link import Entry
    from nightlatch.model import Group

MEMBERS_AT_ONCE = 1000
"""Asked for in one answer; Active Directory gives up to 1500. What it gives is what counts."""
MOST_GROUPS = 200_000
"""In one domain."""

GROUPS = "(|(objectClass=group)(objectClass=groupOfNames))"
"""What can have members that count."""

_RANGE = re.compile(r"member;range=(\d{1,9})-(\d{1,9}|\*)", re.ASCII)


class AdMemberships:
    """Implements `nightlatch.directories.dialect.Memberships`."""

    def __init__(self, nesting: Nesting) -> None:
        self._nesting = nesting

    def of(self, person: Entry) -> tuple[Group, ...]:
        """All groups of a person, nested ones and the primary group included; raises NoVerdict."""
        return self._nesting.groups(person)


def read_all_groups(reader: Reader, domain: str) -> Nesting:
    """Every group of the domain; raises NoVerdict and ServerFailed."""
    nesting = Nesting(domain)
    # What a group is in is told twice: by the other's member, and by its own memberOf even of hidden ones.
    attributes = ("sAMAccountName", "cn", "objectSid", "memberOf", _members_from(0))
    large: list[tuple[str, int]] = []
    for page in reader.pages(Query(domain, GROUPS, attributes, size_limit=MOST_GROUPS)):
        for entry in page:
            nesting.add(entry)
            large += _put(nesting, entry)
    for dn, start in large:  # behind the pages: their connection has room for one search at a time
        for entry in _further(reader, dn, start):
            _put(nesting, entry)
    return nesting


def _further(reader: Reader, dn: str, start: int) -> Iterator[Entry]:
    """The rest of a group's members, from number `start` on."""
    more = True
    while more:
        query = Query(dn, "(objectClass=*)", (_members_from(start),), size_limit=1, only_base=True)
        entry = reader.one(query)
        _, end = (None, None) if entry is None else _range(entry)
        if entry is None or (end is not None and end <= start):
            raise NoVerdict("changed a group while its members were read")
        yield entry
        more = end is not None
        start = end or start


def _put(nesting: Nesting, entry: Entry) -> list[tuple[str, int]]:
    """Remember an entry's members; the group and where it goes on, if it does."""
    name, end = _range(entry)
    for value in entry.values(name or "member"):
        nesting.put_into(value.decode(errors="replace"), entry.dn)
    return [] if end is None else [(entry.dn, end)]


def _range(entry: Entry) -> tuple[str | None, int | None]:
    """The name under which an entry has members, and the number of the next; None when these are the last."""
    for name in entry.attributes:
        found = _RANGE.fullmatch(name)
        if found:
            return name, None if found[2] == "*" else int(found[2]) + 1
    return None, None


def _members_from(start: int) -> str:
    return f"member;range={start}-{start + MEMBERS_AT_ONCE - 1}"
