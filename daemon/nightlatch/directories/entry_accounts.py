"""Turns a person's entry into an account, or says why it is none.

MUST: an account has one stable id and a name, and lies under the base. What is missing, or not shown, is an
      outage that names the setting to look at, never another account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.dn import lies_under
from nightlatch.errors import Unavailable
from nightlatch.model import Account

if TYPE_CHECKING:
    import structlog

    from nightlatch.directories.dialect import PersonDialect
    from nightlatch.directories.ldap_link import Entry

_LONGEST_ID = 256


@dataclass(frozen=True, slots=True)
class EntryAccounts:
    """Reads the entries of one directory's people."""

    directory: str
    base: str
    persons: PersonDialect
    log: structlog.stdlib.BoundLogger

    def of(self, entry: Entry) -> Account:
        """The account of an entry; raises Unavailable, NoVerdict."""
        id_words, name_words = self.persons.words
        if not lies_under(entry.dn, self.base):
            self.log.error("directory.outside_base", base=self.base)
            raise self._unavailable("an entry from outside the base was found; it does not count")
        stable_id = self.persons.stable_id(entry)
        if not stable_id or len(stable_id) > _LONGEST_ID:
            self.log.error("directory.no_stable_id", attribute=id_words)
            raise self._unavailable(f"an entry shows the service account no usable {id_words}")
        names = self.persons.names(entry)
        if not names:
            raise self._unavailable(f"an entry shows the service account no {name_words}")
        contact = self.persons.contact(entry)
        return Account(self.directory, stable_id, names[0], entry.dn, contact, names[1:])

    def _unavailable(self, reason: str) -> Unavailable:
        return Unavailable(f"directory {self.directory}", reason)
