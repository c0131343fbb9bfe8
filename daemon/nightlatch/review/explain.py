"""Explains one login: which rules concern it, what follows, and whether the person is ready. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.policy.evaluate import decide
from nightlatch.policy.model import Applies, SecondFactor
from nightlatch.review.model import Explained, RuleOutcome
from nightlatch.review.prospect import prospect_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nightlatch.policy.model import Judged, LoginFacts, Requirement
    from nightlatch.policy.policy import Policy
    from nightlatch.review.model import FactorTraits, Prospect
    from nightlatch.review.prospect import Holdings


def explained(
    policy: Policy, facts: LoginFacts, holdings: Holdings, traits: Mapping[str, FactorTraits]
) -> tuple[tuple[Explained, ...], Prospect]:
    """Every rule with what came of it, and what would become of the login."""
    judged = policy.judge(facts)
    requirement = decide(judged, policy.enabled)
    lifted = frozenset().union(
        *(one.rule.lifts for one in judged if one.finding.applies is Applies.YES),
    )
    rules = tuple(Explained(one, _outcome(one, requirement, lifted)) for one in judged)
    return rules, prospect_of(requirement, holdings, traits)


def _outcome(one: Judged, requirement: Requirement, lifted: frozenset[str]) -> RuleOutcome:
    demands = one.rule.second_factor is SecondFactor.REQUIRED
    if one.finding.applies is Applies.NO:
        return RuleOutcome.NO
    if one.finding.applies is Applies.UNKNOWN and not demands:
        return RuleOutcome.UNKNOWN
    if one.rule.name in requirement.rules:
        return RuleOutcome.DECIDES
    if one.rule.name in lifted:
        return RuleOutcome.LIFTED
    return RuleOutcome.YES
