"""The rules: all that match apply, the strictest wins, and nothing is the default but a second factor."""

from __future__ import annotations

from nightlatch.policy.evaluate import evaluate
from nightlatch.policy.model import DEFAULT_RULE, Everyone, LoginFacts, Rule, SecondFactor
from testbed.core import ALICE

FACTS = LoginFacts(ALICE, "sshd", "192.0.2.1")
ENABLED = frozenset({"word", "sms"})


class Nobody:
    """Matches no login."""

    def covers(self, facts: LoginFacts) -> bool:
        return False


def test_a_login_that_no_rule_names_needs_a_second_factor() -> None:
    """MUST 2: the default is that a second factor is required."""
    for rules in ((), (Rule("nobody", Nobody(), SecondFactor.REQUIRED),)):
        requirement = evaluate(rules, FACTS, ENABLED)
        assert requirement.second_factor is SecondFactor.REQUIRED
        assert requirement.rules == (DEFAULT_RULE.name,)
        assert requirement.factors == ENABLED


def test_a_factor_counts_only_when_every_matching_rule_lets_it() -> None:
    """MUST 3, MUST 1: restrictions add up, in any order."""
    one = Rule("one", Everyone(), SecondFactor.REQUIRED, frozenset({"word"}))
    two = Rule("two", Everyone(), SecondFactor.REQUIRED)
    for rules in ((one, two), (two, one)):
        assert evaluate(rules, FACTS, ENABLED).factors == {"word"}
