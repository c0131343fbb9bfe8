"""Groups of a directory of kind "ldap"."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nightlatch.directories.dialect import GroupDialect, Reader
    from nightlatch.directories.ldap_link import Entry
    from nightlatch.directories.settings import LdapSettings
    from nightlatch.model import Group


class NoGroups:
    """A directory that is configured to have no groups: everyone is in none."""

    attributes = ()

    def groups(self, reader: Reader, person: Entry) -> tuple[Group, ...]:  # noqa: ARG002 - nothing is asked
        """None."""
        return ()

    def group(self, reader: Reader, named: str) -> Group | None:  # noqa: ARG002
        """None."""
        return None

    def memberships(self, reader: Reader) -> NoGroups:  # noqa: ARG002
        """Nothing to read."""
        return self

    def of(self, person: Entry) -> tuple[Group, ...]:  # noqa: ARG002
        """None."""
        return ()


def group_dialect(settings: LdapSettings) -> GroupDialect:  # noqa: ARG001 - until there are settings for groups
    """How this directory's groups are read."""
    return NoGroups()
