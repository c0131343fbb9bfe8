"""The login names of an entry, and which of them is the person's own.

MUST 1: the own name follows from the entry alone: not from what was typed, and not from the order in which a
        server, or the next one, tells the values.
MUST 2: every name that can be read is among the names, or the entry is no account: a rule that names one of
        them must not be missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.directories.contact import plain_text
from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.dn import rdn_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightlatch.directories.ldap_link import Entry

MOST_NAMES = 16
LONGEST_NAME = 256
"""Characters of the own name: nobody could sign in by a longer one."""
LONGEST_NAMES = 512
"""Characters of all names but the own one: they travel in tickets."""
_UID = ("uid", "userid")
"""The two names of one attribute (RFC 4519, 2.39)."""


def login_names(entry: Entry, attribute: str) -> tuple[str, ...]:
    """The values of the login attribute, the own name first; empty for none. Raises NoVerdict (MUST 2).

    The own name is the value that the entry's RDN has, as for sssd; else the first in the alphabet.
    """
    texts = {plain_text(value) for value in entry.values(attribute)} - {""}
    names = sorted(texts, key=lambda text: (text.casefold(), text))
    if len(names) <= 1:
        return tuple(names)
    kinds = _UID if attribute.lower() in _UID else (attribute,)
    in_rdn = {value for kind in kinds for value in rdn_values(entry.dn, kind)}
    own = next((name for name in names if name.casefold() in in_rdn), names[0])
    return bounded_names(own, (name for name in names if name != own))


def bounded_names(own: str, others: Iterable[str]) -> tuple[str, ...]:
    """These names, the own one first; raises NoVerdict where they are too many to be looked at."""
    names = (own, *others)
    too_long = len(own) > LONGEST_NAME or sum(map(len, names[1:])) > LONGEST_NAMES
    if too_long or len(names) > MOST_NAMES:
        raise NoVerdict(f"has more than {MOST_NAMES} login names, or very long ones, for the person {own}")
    return names
