"""Evaluates the rules for one login.

MUST 1: all matching rules apply, and the strictest wins; their order means nothing.
MUST 2: where no rule matches, the default rule does: a second factor is required.
MUST 3: a factor counts only when every deciding rule lets it count.
MUST 4: a rule that demands applies also where nobody could find out whether it should, and then grants no
        comfort; a rule that leaves something out applies only where it is known to.
MUST 5: an exemption lifts the rules that it names, and no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.policy.model import (
    DEFAULT_RULE,
    Applies,
    EnrollmentMode,
    Finding,
    Judged,
    LoginFacts,
    Match,
    Observed,
    Requirement,
    Rule,
    SecondFactor,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_ALWAYS = Finding(Applies.YES, "it is for every login")


def judge_match(match: Match, facts: LoginFacts) -> Finding:
    """Whether a rule concerns a login, and why: what settles it, or where it is for everyone, where it is."""
    unknown: Finding | None = None
    places: list[Finding] = []
    for condition in match.where:
        finding = condition.judge(facts)
        if finding.applies is Applies.NO:
            return finding
        unknown = finding if finding.applies is Applies.UNKNOWN else unknown
        places.append(finding)
    for condition in match.unless:
        finding = condition.judge(facts)
        if finding.applies is Applies.YES:
            return Finding(Applies.NO, _words("excepted: ", finding))
        unknown = finding if finding.applies is Applies.UNKNOWN else unknown
    who = _any_of(match, facts)
    if who.applies is Applies.NO:
        return who
    if unknown is not None or match.who or not places:
        return unknown or who
    return Finding(Applies.YES, _words("", *places))


def _any_of(match: Match, facts: LoginFacts) -> Finding:
    if not match.who:
        return _ALWAYS
    unknown: Finding | None = None
    findings: list[Finding] = []
    for condition in match.who:
        finding = condition.judge(facts)
        if finding.applies is Applies.YES:
            return finding
        unknown = finding if unknown is None and finding.applies is Applies.UNKNOWN else unknown
        findings.append(finding)
    return unknown or Finding(Applies.NO, _words("", *findings))


def _words(lead: str, *findings: Finding) -> Callable[[], str]:
    """The reasons of findings, once somebody wants to read them."""
    return lambda: lead + "; ".join(finding.because for finding in findings)


def judge(rules: Iterable[Rule], facts: LoginFacts) -> tuple[Judged, ...]:
    """Every rule, and whether it concerns the login."""
    return tuple(Judged(rule, judge_match(rule.match, facts)) for rule in rules)


def evaluate(rules: Iterable[Rule], facts: LoginFacts, enabled: frozenset[str]) -> Requirement:
    """What this login must show; `enabled` are the factors that are switched on."""
    return decide(judge(rules, facts), enabled)


def decide(judged: Sequence[Judged], enabled: frozenset[str]) -> Requirement:
    """What follows from the rules and whether each concerns the login."""
    exemptions: list[Rule] = []
    others: list[Judged] = []
    for one in judged:
        if not _applies(one):
            continue
        if one.rule.second_factor is SecondFactor.SKIP:
            exemptions.append(one.rule)
        else:
            others.append(one)
    if exemptions:
        lifted = frozenset().union(*(rule.lifts for rule in exemptions))
        others = [one for one in others if one.rule.name not in lifted]
    observed = _observed(others, enabled)
    if exemptions and not others:
        names = tuple(rule.name for rule in exemptions)
        reasons = "; ".join(rule.exemption for rule in exemptions)
        return Requirement(SecondFactor.SKIP, enabled, rules=names, exemption=reasons)
    others = others or [Judged(DEFAULT_RULE, _ALWAYS)]
    strictest = max(one.rule.second_factor for one in others)
    deciding = [one for one in others if one.rule.second_factor is strictest]
    return Requirement(
        strictest,
        _counting(deciding, enabled),
        min(0 if _uncertain(one) else one.rule.trusted_device_days for one in deciding),
        max(EnrollmentMode.CLOSED if _uncertain(one) else one.rule.enrollment for one in deciding),
        *_grace(deciding),
        rules=tuple(one.rule.name for one in deciding),
        observed=observed,
        uncertain=next((one.finding.because for one in deciding if _uncertain(one)), ""),
    )


def _applies(one: Judged) -> bool:
    if one.finding.applies is Applies.UNKNOWN:
        return one.rule.second_factor is SecondFactor.REQUIRED
    return one.finding.applies is Applies.YES


def _uncertain(one: Judged) -> bool:
    return one.finding.applies is not Applies.YES


def _counting(deciding: Sequence[Judged], enabled: frozenset[str]) -> frozenset[str]:
    for one in deciding:
        if one.rule.factors is not None:
            enabled &= one.rule.factors
    return enabled


def _observed(others: Sequence[Judged], enabled: frozenset[str]) -> Observed | None:
    watching = [one for one in others if one.rule.second_factor is SecondFactor.OBSERVE]
    if not watching:
        return None
    return Observed(_counting(watching, enabled), tuple(one.rule.name for one in watching))


def _grace(deciding: Sequence[Judged]) -> tuple[int, int]:
    """Days and logins of grace: the shortest that is given; none where one deciding rule gives none."""
    if any(_uncertain(one) or not (one.rule.grace_days or one.rule.grace_logins) for one in deciding):
        return 0, 0
    days = [one.rule.grace_days for one in deciding if one.rule.grace_days]
    logins = [one.rule.grace_logins for one in deciding if one.rule.grace_logins]
    return min(days, default=0), min(logins, default=0)
