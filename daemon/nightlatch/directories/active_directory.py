"""How Active Directory is asked, that of Windows and that of Samba: settings of kind "active_directory"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.directories.active_directory_settings import domain_of, naming_context
from nightlatch.directories.ad_binds import AdBinds
from nightlatch.directories.ad_groups import AdGroups
from nightlatch.directories.ad_persons import AdPersons
from nightlatch.directories.dialect import Dialect
from nightlatch.directories.password_change import UnicodePasswords

if TYPE_CHECKING:
    from nightlatch.directories.active_directory_settings import ActiveDirectorySettings


def active_directory(settings: ActiveDirectorySettings) -> Dialect:
    """The dialect of a directory of kind "active_directory"."""
    domain = naming_context(domain_of(settings.base))
    # A search of a domain always refers to the forest's other partitions too: no people or groups are there.
    return Dialect(
        AdPersons(settings), AdGroups(domain), AdBinds(), UnicodePasswords(), references_are_elsewhere=True
    )
