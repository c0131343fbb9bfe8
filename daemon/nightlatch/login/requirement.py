"""What policy demands of a login: gathers the facts, asks the policy.

MUST 1: groups are looked up only where a rule asks for them; a look-up that fails is said so, and policy lets
        the rules that demand something apply.
MUST 2: what policy demands is asked again at every answer, so that a reload in the middle of a login counts.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable
from nightlatch.policy.index import GroupIndex
from nightlatch.policy.model import LoginFacts

if TYPE_CHECKING:
    from nightlatch.login.parts import Parts
    from nightlatch.login.turn import Turn
    from nightlatch.model import Account, Groups
    from nightlatch.policy.model import Requirement

MOST_KEPT = 10_000
PAM = "pam"
"""What rules call the PAM module."""


class Requirements:
    """Gathers facts. Keeps what makes groups quick to compare while the directory gives the same ones."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._indexes: OrderedDict[str, tuple[Groups, GroupIndex]] = OrderedDict()

    async def of(self, turn: Turn) -> Requirement:
        """What policy demands of this login now: found out once a call."""
        if turn.requirement is None:
            state = turn.state
            facts = await self.facts(turn.account(), state.service, state.source, client_of(turn.caller))
            turn.requirement = self._parts.policy.evaluate(facts)
        return turn.requirement

    async def facts(self, account: Account, service: str, source: str, client: str) -> LoginFacts:
        """What policy may know of a login."""
        folds_case = self._parts.accounts.folds_case(account)
        now = self._parts.clock.now()
        groups, why = None, ""
        if self._parts.policy.needs_groups:
            try:
                groups = self._index(account, await self._parts.accounts.groups(account), folds_case)
            except Unavailable as error:
                why = str(error)
                self._parts.log.warning("policy.groups_unknown", account=account.id, reason=why)
        return LoginFacts(account, folds_case, service, source, client, now, groups, why)

    def _index(self, account: Account, groups: Groups, folds_case: bool) -> GroupIndex:  # noqa: FBT001
        kept = self._indexes.get(account.id)
        if kept is not None and kept[0] is groups:
            self._indexes.move_to_end(account.id)
            return kept[1]
        index = GroupIndex(groups, folds_case=folds_case)
        self._indexes[account.id] = (groups, index)
        if len(self._indexes) > MOST_KEPT:
            self._indexes.popitem(last=False)
        return index


def client_of(caller: str) -> str:
    """A caller's name in rules: "pam" for "pam uid=0", "vpn" for "client vpn"."""
    listener, _, identity = caller.partition(" ")
    return identity if listener == "client" else listener
