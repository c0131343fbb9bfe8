"""Groups in Active Directory: nested ones, and the primary group, which no `member` names.

MUST 1: all groups of a person, or NoVerdict. An entry that names a group which the search did not bring
        means that the service account is not shown everything.
MUST 2: groups are looked for in the whole domain: a rule may name any of them.

Nested groups are followed here, level by level. LDAP_MATCHING_RULE_IN_CHAIN would do it in one question, but
looks at every entry for it: in Samba 2.4 s for one person among 3700 people, and not 0.2 s. Groups of other
domains are not seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldap3.utils.conv import escape_filter_chars

from nightlatch.directories.ad_members import GROUPS, AdMemberships, read_all_groups
from nightlatch.directories.ad_nesting import Nesting, group_name, primary_group
from nightlatch.directories.ad_values import escaped
from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.directories.ldap_link import Query
from nightlatch.dn import lies_under
from nightlatch.model import Group

if TYPE_CHECKING:
    from nightlatch.directories.dialect import Reader
    from nightlatch.directories.ldap_link import Entry

MOST_GROUPS = 5000
"""Of one person. Windows itself lets nobody sign in with more than 1015."""

_DNS_AT_ONCE = 50
"""Members that one question names."""

_READ = ("sAMAccountName", "cn", "objectSid", "memberOf")


class AdGroups:
    """Implements `nightlatch.directories.dialect.GroupDialect`."""

    attributes = ("objectSid", "primaryGroupID", "memberOf")

    def __init__(self, domain: str) -> None:
        """`domain` is the DN of the domain."""
        self._domain = domain

    def groups(self, reader: Reader, person: Entry) -> tuple[Group, ...]:
        """All groups of a person: its own and the primary group, and level by level what these are in."""
        nesting = Nesting(self._domain)
        primary = f"(objectSid={escaped(primary_group(person))})"
        level = self._new(nesting, reader, primary) + self._new(nesting, reader, _having([person.dn]))
        while level:
            if len(nesting) > MOST_GROUPS:
                raise NoVerdict(f"has a person in more than {MOST_GROUPS} groups")
            level = [
                dn
                for first in range(0, len(level), _DNS_AT_ONCE)
                for dn in self._new(nesting, reader, _having(level[first : first + _DNS_AT_ONCE]))
            ]
        return _with_the_rest(nesting.groups(person), nesting)

    def group(self, reader: Reader, named: str) -> Group | None:
        """The one group with this DN, or with this sAMAccountName."""
        if "=" not in named:
            found_by = f"(&(objectClass=group)(sAMAccountName={escape_filter_chars(named)}))"
            found = reader.all(self._query(found_by, of=2))
        elif lies_under(named, self._domain):
            query = Query(named, "(objectClass=group)", _READ, size_limit=1, only_base=True)
            found = tuple(filter(None, [reader.one(query)]))
        else:
            found = ()
        if len(found) > 1:
            raise NoVerdict("has two groups with one sAMAccountName; none of them is taken")
        return Group(found[0].dn, group_name(found[0])) if found else None

    def memberships(self, reader: Reader) -> AdMemberships:
        """All groups of the domain with their members."""
        return AdMemberships(read_all_groups(reader, self._domain))

    def _new(self, nesting: Nesting, reader: Reader, found_by: str) -> list[str]:
        """The DNs of groups that were found just now for the first time: a loop ends here."""
        found = reader.all(self._query(found_by, of=MOST_GROUPS))
        return [entry.dn for entry in found if nesting.add(entry)]

    def _query(self, found_by: str, of: int) -> Query:
        return Query(self._domain, found_by, _READ, size_limit=of)


def _having(members: list[str]) -> str:
    """The filter of the groups that have one of these DNs as a member."""
    named = "".join(f"(member={escape_filter_chars(dn)})" for dn in members)
    return f"(&{GROUPS}(|{named}))"


def _with_the_rest(told: tuple[Group, ...], nesting: Nesting) -> tuple[Group, ...]:
    """The groups to which a way is known, and those that the server found by one that it does not show."""
    known = {group.id for group in told}
    return (*told, *(group for group in nesting.all() if group.id not in known))
