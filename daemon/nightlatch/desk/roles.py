"""Who has which role by the groups that a directory says they are in.

MUST 1: groups that can not be read give no role, and leave nobody unprotected: that is Unavailable.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from nightlatch.policy.index import GroupIndex, group_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nightlatch.login.accounts import Accounts
    from nightlatch.model import Account


class Role(Enum):
    """What somebody may do for others. The strongest first."""

    ADMIN = "admin"
    HELPDESK = "helpdesk"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class RoleGroups:
    """The groups that give roles, by DN or by short name."""

    groups: Mapping[Role, tuple[str, ...]]

    async def of(self, accounts: Accounts, account: Account) -> Role | None:
        """The strongest role of a person, or None; raises Unavailable."""
        if not any(self.groups.values()):
            return None
        folds_case = accounts.folds_case(account)
        index = GroupIndex(await accounts.groups(account), folds_case=folds_case)
        for role in Role:
            named = self.groups.get(role, ())
            if index.find(frozenset(map(group_key, named)), frozenset(named)) is not None:
                return role
        return None


NO_GROUPS = RoleGroups({})
"""Nobody has a role by a group."""
