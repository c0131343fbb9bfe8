"""Evaluates the rules for one login.

MUST 1: all matching rules apply, and the strictest wins; their order means nothing.
MUST 2: where no rule matches, the default rule does: a second factor is required.
MUST 3: a factor counts only when every matching rule lets it count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.policy.model import DEFAULT_RULE, LoginFacts, Requirement, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable


def evaluate(rules: Iterable[Rule], facts: LoginFacts, enabled: frozenset[str]) -> Requirement:
    """What this login must show; `enabled` are the factors that are switched on."""
    matching = tuple(rule for rule in rules if rule.match.covers(facts)) or (DEFAULT_RULE,)
    factors = enabled
    for rule in matching:
        if rule.factors is not None:
            factors &= rule.factors
    strictest = max(rule.second_factor for rule in matching)
    days = min(rule.trusted_device_days for rule in matching)
    return Requirement(strictest, factors, days, tuple(rule.name for rule in matching))
