"""What the audit is told beside a reason: facts for programs, and which rule let nothing count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch import limits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightlatch.model import Credential, LimitState
    from nightlatch.policy.model import Requirement

NOTHING_COUNTS = "no credential that policy lets count"


def nothing_counts(requirement: Requirement, credentials: Iterable[Credential]) -> str:
    """Why none of a person's credentials counts, by the rules that decide and the factors that they have."""
    rules = ", ".join(requirement.rules) or "the default"
    named = f"rule {rules}"[:100]
    present = sorted({one.factor for one in credentials})
    if not present:
        return f"{NOTHING_COUNTS}: {named} wants a second factor, and none is enrolled"
    counting = " or ".join(sorted(requirement.factors)) or "nothing"
    return f"{NOTHING_COUNTS}: {named} counts {counting}, and not {', '.join(present)}"


def password_facts(account_id: str, source: str, charges: limits.Charges) -> str:
    """How many password failures an attempt makes, of how many that are free, as facts for the audit."""
    most, _ = limits.FROM_SOURCE
    failures = [
        len(charges.states[scope].failures)
        for scope, rule in limits.password_rules(account_id, source).items()
        if rule is limits.charge_password_from_source
    ]
    return f"failures={failures[0]} free={most}" if failures else ""


def failure_facts(state: LimitState, now: float) -> str:
    """What a charged failure at a second factor leads to, as facts for the audit."""
    facts = f"failures={state.in_a_row} free={limits.FREE_FAILURES}"
    if state.disabled:
        return f"{facts} disabled=1"
    pause = state.blocked_until - now
    return f"{facts} pause={pause:.0f}" if pause > 0 else facts


def until_facts(retry_after: float, now: float) -> str:
    """Until when nothing is checked, as a fact for the audit; empty where only an administrator helps."""
    return f"until={now + retry_after:.0f}" if retry_after > 0 else ""
