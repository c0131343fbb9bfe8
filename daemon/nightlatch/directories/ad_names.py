r"""What a person of Active Directory is called: as the directory spells it, or as its Linux hosts do.

MUST 1: a name follows from the entry and the settings alone, never from what was typed.
MUST 2: whatever finds a person is among the names: a rule that names it must not be missed.
MUST 3: what was typed goes into a filter escaped.

SSSD and winbind make small letters of a `sAMAccountName`; SSSD adds ``@domain`` where names are fully
qualified, and winbind puts ``CORP\`` in front unless it uses a default domain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldap3.utils.conv import escape_filter_chars

from nightlatch.directories.active_directory_settings import domain_of
from nightlatch.directories.contact import plain_text
from nightlatch.directories.login_names import bounded_names

if TYPE_CHECKING:
    from nightlatch.directories.active_directory_settings import ActiveDirectorySettings
    from nightlatch.directories.ldap_link import Entry


class AdNames:
    """The names of one directory's people."""

    def __init__(self, settings: ActiveDirectorySettings) -> None:
        self._form = settings.name_form
        self._domain = domain_of(settings.base)
        self._short = settings.netbios_name

    def filter(self, typed: str) -> str:
        r"""The filter for NAME and NAME@DOMAIN; for DOMAIN\NAME where the domain's short name is known."""
        short, _, rest = typed.partition("\\")
        if rest and short.casefold() == self._short.casefold() != "":
            return f"(sAMAccountName={escape_filter_chars(rest)})"
        escaped = escape_filter_chars(typed)
        ways = f"(sAMAccountName={escaped})(userPrincipalName={escaped})"
        name, _, domain = typed.rpartition("@")
        if name and self._form == "qualified" and domain.casefold() == self._domain:
            ways += f"(sAMAccountName={escape_filter_chars(name)})"
        return f"(|{ways})"

    def of(self, entry: Entry) -> tuple[str, ...]:
        """All names, the own one first; empty without a sAMAccountName. Raises NoVerdict for too many."""
        values = entry.values("sAMAccountName")
        name = plain_text(values[0]) if len(values) == 1 else ""
        if not name:
            return ()
        names = (self._own(name), name, *map(plain_text, entry.values("userPrincipalName")))
        short = (f"{self._short}\\{name}",) if self._short else ()
        named: dict[str, str] = {}
        for each in filter(None, (*names, *short)):
            named.setdefault(_key(each), each)
        own, *others = named.values()
        return bounded_names(own, others)

    def _own(self, name: str) -> str:
        if self._form == "lower":
            return name.lower()
        if self._form == "qualified":
            return f"{name.lower()}@{self._domain}"
        if self._form == "netbios":
            return f"{self._short.upper()}\\{name.lower()}"
        return name


def _key(name: str) -> str:
    """The same for names that every server takes for one: ASCII letters of either case."""
    return name.lower() if name.isascii() else name
