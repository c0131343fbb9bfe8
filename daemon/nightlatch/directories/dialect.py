"""What differs between the servers that speak LDAP; `LdapDirectory` holds what is the same for all.

MUST 1: nothing in a dialect makes a failed bind a success: it finds words for a failure, or an objection.
MUST 2: groups are told whole, or `NoVerdict` or `ServerFailed` is raised. Never a part of them.
MUST 3: what was typed goes into a filter escaped (`ldap3.utils.conv.escape_filter_chars`).

All of it runs in a worker's thread, and keeps nothing between calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightlatch.directories.ldap_link import Answer, Control, Entry, Query
    from nightlatch.directories.password_change import PasswordDialect
    from nightlatch.errors import Refused
    from nightlatch.model import Contact, Group


class Remark(NamedTuple):
    """What the log should say of a right password."""

    words: str
    pressing: bool
    """Whether an administrator wants to know, and not only who looks for something."""


class Reader(Protocol):
    """Searches at one server as the service account. All raise ServerFailed when it can not answer."""

    def one(self, query: Query) -> Entry | None:
        """The entry at the query's base, or None where there is none that fits the filter."""

    def all(self, query: Query) -> tuple[Entry, ...]:
        """Every entry that fits, read in pages.

        Raises NoVerdict where the server keeps some back, or has more than the query's size_limit.
        """

    def pages(self, query: Query) -> Iterator[tuple[Entry, ...]]:
        """The same as `all`, a page at a time; what came before an error does not count."""


class PersonDialect(Protocol):
    """How a person's entry is found and read."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """What is read of a person for everything below."""

    @property
    def words(self) -> tuple[str, str]:
        """The attributes of the stable id and of the name, for messages: ("entryUUID (id_attribute)", …)."""

    def filter(self, name: str) -> str:
        """The filter for the person with a typed name, whose length and characters were looked at."""

    def everyone(self) -> str:
        """The filter for all people."""

    def stable_id(self, entry: Entry) -> str:
        """What never changes and is never reused, from its raw bytes; empty where it is not usable."""

    def names(self, entry: Entry) -> tuple[str, ...]:
        """All that finds the entry, as the directory spells it, the person's own name first; empty for none.

        The same whatever was typed. Raises NoVerdict for more names than can be looked at.
        """

    def contact(self, entry: Entry) -> Contact:
        """How the person can be reached, within bounds."""

    def enabled(self, entry: Entry, now: float) -> bool:
        """Whether the directory would let the person sign in, as far as the entry tells."""


class Memberships(Protocol):
    """All groups of a directory, read once."""

    def of(self, person: Entry) -> tuple[Group, ...]:
        """All groups of a person, nested ones included; raises NoVerdict."""


class GroupDialect(Protocol):
    """How groups are read."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """What is read of a person, beside the attributes of `PersonDialect`, when groups are asked for."""

    def groups(self, reader: Reader, person: Entry) -> tuple[Group, ...]:
        """All groups of a person, nested ones included. The entry was read just now."""

    def group(self, reader: Reader, named: str) -> Group | None:
        """The one group with this DN or short name, or None; two are NoVerdict."""

    def memberships(self, reader: Reader) -> Memberships:
        """All groups with their members."""


class BindDialect(Protocol):
    """What the answer to a person's bind means beside its result code."""

    @property
    def controls(self) -> tuple[Control, ...]:
        """The controls to send with a person's bind."""

    def objection(self, answer: Answer) -> Refused | None:
        """What speaks against this person; None where the result code says all (MUST 1).

        Asked after success (then only to keep somebody out) and after a failure that is the person's.
        """

    def remark(self, answer: Answer) -> Remark | None:
        """What the log should say of a bind that went well, if anything."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of server."""

    persons: PersonDialect
    groups: GroupDialect
    binds: BindDialect
    passwords: PasswordDialect
    references_are_elsewhere: bool = False
    """Whether search references point outside of what is read (the other partitions of a domain).

    Where not, an answer with a reference is a part of the answer.
    """
