"""The policy of one configuration: its rules, and the factors that are switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.policy.conditions import MemberOf
from nightlatch.policy.evaluate import decide, evaluate, judge

if TYPE_CHECKING:
    from nightlatch.policy.model import Judged, LoginFacts, Requirement, Rule


class Policy:
    """Decides what logins must show. Pure: it looks nothing up."""

    def __init__(self, rules: tuple[Rule, ...], enabled: frozenset[str]) -> None:
        self.rules = rules
        self.enabled = enabled
        self.needs_groups = any(
            isinstance(condition, MemberOf)
            for rule in rules
            for condition in (*rule.match.who, *rule.match.unless)
        )
        """Whether any rule asks for groups; nobody looks them up where none does."""
        self._default = decide((), enabled)

    def evaluate(self, facts: LoginFacts) -> Requirement:
        """What this login must show."""
        return evaluate(self.rules, facts, self.enabled) if self.rules else self._default

    def judge(self, facts: LoginFacts) -> tuple[Judged, ...]:
        """Every rule, and whether it concerns this login."""
        return judge(self.rules, facts)
