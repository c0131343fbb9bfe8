"""Everyone in a directory, with their groups: read over one connection of its own.

The groups are read first, all of them, and kept in memory; then the people, a page at a time. Pages
belong to their connection (RFC 2696), so there is no failover in the middle of a reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.directories.ldap_link import Query
from nightlatch.directories.ldap_reader import LinkReader
from nightlatch.errors import NightlatchError
from nightlatch.model import Account, Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.directories.bounded import Call
    from nightlatch.directories.dialect import Dialect
    from nightlatch.directories.ldap_link import Entry
    from nightlatch.directories.ldap_server import LdapServer

Source = tuple[str, "Dialect", "Callable[[Entry], Account]"]
"""The base of the people, the dialect, and how an entry becomes an account."""

_LIMITED_BY_PAGES = 0


class PeopleReading:
    """One reading of a directory. Used by one thread at a time. All raise ServerFailed and NoVerdict."""

    def __init__(self, server: LdapServer, call: Call, source: Source, now: float) -> None:
        """Connect, and read all groups."""
        base, self._dialect, self._account = source
        persons, groups = self._dialect.persons, self._dialect.groups
        attributes = (*persons.attributes, *groups.attributes)
        self._query = Query(base, persons.everyone(), attributes, size_limit=_LIMITED_BY_PAGES)
        self._now = now
        self._cookie = b""
        self.more = True
        """Whether there may be another page."""
        self._link = server.open_for_search(call)
        self._reader = LinkReader(self._link, references_are_elsewhere=self._dialect.references_are_elsewhere)
        try:
            with call.watching(self._link.socket):
                self._memberships = groups.memberships(self._reader)
        except NightlatchError:
            self._link.close()
            raise

    def next_page(self, call: Call) -> tuple[Person, ...]:
        """The next people; raises Unavailable too, for an entry without what makes it an account."""
        with call.watching(self._link.socket):
            entries, self._cookie = self._reader.page(self._query, self._cookie)
        self.more = bool(self._cookie)
        return tuple(self._person(entry) for entry in entries)

    def close(self) -> None:
        """Let the connection go."""
        self.more = False
        self._link.close()

    def _person(self, entry: Entry) -> Person:
        enabled = self._dialect.persons.enabled(entry, self._now)
        return Person(self._account(entry), self._memberships.of(entry), enabled)
