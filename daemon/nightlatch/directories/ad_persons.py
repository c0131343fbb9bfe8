"""People in Active Directory: how they are found, and what their entries say.

MUST 1: a person is one objectGUID and one sAMAccountName, whichever of the names was typed (`ad_names`).
MUST 2: people are ordinary user accounts: no computers, no trusts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.directories.ad_names import AdNames
from nightlatch.directories.ad_values import guid, integer, unix_time
from nightlatch.directories.contact import contact_attributes, read_contact

if TYPE_CHECKING:
    from nightlatch.directories.active_directory_settings import ActiveDirectorySettings
    from nightlatch.directories.ldap_link import Entry
    from nightlatch.model import Contact

_PEOPLE = "(sAMAccountType=805306368)"
"""SAM_NORMAL_USER_ACCOUNT of MS-SAMR 2.2.1.9; indexed, unlike most ways to say it."""
_READ = ("objectGUID", "sAMAccountName", "userPrincipalName", "userAccountControl", "accountExpires")
_ACCOUNT_DISABLED = 0x2
"""The bit of userAccountControl (MS-ADTS 2.2.16)."""
_NEVER = 0x7FFF_FFFF_FFFF_FFFF
"""The accountExpires of who never expires; 0 is another."""


class AdPersons:
    """Implements `nightlatch.directories.dialect.PersonDialect`."""

    words = ("objectGUID", "userPrincipalName or sAMAccountName")

    def __init__(self, settings: ActiveDirectorySettings) -> None:
        self._settings = settings
        self._names = AdNames(settings)

    @property
    def attributes(self) -> tuple[str, ...]:
        """What is read of a person."""
        return tuple(dict.fromkeys((*_READ, *contact_attributes(self._settings))))

    def filter(self, name: str) -> str:
        """The filter for a person by any of the names."""
        return f"(&{_PEOPLE}{self._names.filter(name)})"

    def everyone(self) -> str:
        """The filter for all people."""
        return _PEOPLE

    def stable_id(self, entry: Entry) -> str:
        """The objectGUID in its usual text; empty where there is not exactly one."""
        values = entry.values("objectGUID")
        return (guid(values[0]) or "") if len(values) == 1 else ""

    def names(self, entry: Entry) -> tuple[str, ...]:
        """All names, the own one first; none without a sAMAccountName, which every account has."""
        return self._names.of(entry)

    def contact(self, entry: Entry) -> Contact:
        """How the person can be reached, as far as attributes are configured for it."""
        return read_contact(entry, self._settings)

    def enabled(self, entry: Entry, now: float) -> bool:
        """Whether the account is neither disabled nor expired; what is not shown speaks against nobody."""
        control = integer(entry.values("userAccountControl")) or 0
        expires = integer(entry.values("accountExpires")) or 0
        return not control & _ACCOUNT_DISABLED and (expires in {0, _NEVER} or unix_time(expires) > now)
