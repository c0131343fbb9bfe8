"""Between reviews of policy and the API's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from nightlatch.policy.model import Applies, EnrollmentMode, SecondFactor
from nightlatch.review.model import Change, FactorTraits, Outlook, RuleOutcome
from nightlatch.rpc.values import account_message, timestamp
from nightlatch.v1 import policy_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nightlatch.policy.grace import Grace
    from nightlatch.policy.model import Requirement
    from nightlatch.review.model import Changed, Explanation, Prospect, Prospects

T = TypeVar("T")
MOST_IN_A_MESSAGE = 100
"""People in one message of a stream: about 30 KB, made in about a millisecond."""

_SECOND_FACTORS = {
    SecondFactor.SKIP: policy_pb2.SECOND_FACTOR_SKIP,
    SecondFactor.OBSERVE: policy_pb2.SECOND_FACTOR_OBSERVE,
    SecondFactor.REQUIRED: policy_pb2.SECOND_FACTOR_REQUIRED,
}
_MODES = {
    EnrollmentMode.SELF: policy_pb2.ENROLLMENT_MODE_SELF,
    EnrollmentMode.INVITE: policy_pb2.ENROLLMENT_MODE_INVITE,
    EnrollmentMode.CLOSED: policy_pb2.ENROLLMENT_MODE_CLOSED,
}
_OUTLOOKS = {
    Outlook.DISABLED: policy_pb2.OUTLOOK_DISABLED,
    Outlook.EXEMPT: policy_pb2.OUTLOOK_EXEMPT,
    Outlook.READY: policy_pb2.OUTLOOK_READY,
    Outlook.OBSERVED: policy_pb2.OUTLOOK_OBSERVED,
    Outlook.WEAK: policy_pb2.OUTLOOK_WEAK,
    Outlook.ENROLLS: policy_pb2.OUTLOOK_ENROLLS,
    Outlook.LOCKED_OUT: policy_pb2.OUTLOOK_LOCKED_OUT,
}
_OUTCOMES = {
    RuleOutcome.DECIDES: policy_pb2.RULE_OUTCOME_DECIDES,
    RuleOutcome.YES: policy_pb2.RULE_OUTCOME_OUTWEIGHED,
    RuleOutcome.LIFTED: policy_pb2.RULE_OUTCOME_LIFTED,
    RuleOutcome.NO: policy_pb2.RULE_OUTCOME_NO,
    RuleOutcome.UNKNOWN: policy_pb2.RULE_OUTCOME_UNKNOWN,
}
_CHANGES = {
    Change.TERMS: policy_pb2.CHANGE_TERMS,
    Change.LET_IN: policy_pb2.CHANGE_LET_IN,
    Change.ASKED_LESS: policy_pb2.CHANGE_ASKED_LESS,
    Change.FACTORS: policy_pb2.CHANGE_FACTORS,
    Change.ASKED_MORE: policy_pb2.CHANGE_ASKED_MORE,
    Change.EXEMPTED: policy_pb2.CHANGE_EXEMPTED,
    Change.LOCKED_OUT: policy_pb2.CHANGE_LOCKED_OUT,
}


def explanation_message(explanation: Explanation) -> policy_pb2.ExplainPolicyResponse:
    """An explanation as the API's message."""
    groups = explanation.groups
    return policy_pb2.ExplainPolicyResponse(
        account=account_message(explanation.facts.account),
        handle=explanation.facts.account.handle,
        time=timestamp(explanation.facts.now),
        rules=[
            policy_pb2.ExplainedRule(
                name=one.judged.rule.name,
                outcome=_OUTCOMES[one.outcome],
                because=one.judged.finding.because,
                uncertain=one.judged.finding.applies is Applies.UNKNOWN,
            )
            for one in explanation.rules
        ],
        prospect=prospect_message(explanation.prospect),
        groups_known=groups is not None,
        groups=[
            policy_pb2.MemberGroup(id=one.id, name=one.name, via=one.via)
            for one in (groups.groups if groups is not None else ())
        ],
        groups_read_time=None if groups is None else timestamp(groups.read_at),
        groups_unknown=explanation.why_no_groups,
    )


def prospects_message(person: Prospects) -> policy_pb2.PersonProspects:
    """A person of a report: places where the same would become of them are one."""
    found: dict[tuple[Outlook, str, tuple[str, ...]], policy_pb2.PlacesProspect] = {}
    for place, prospect in sorted(person.places, key=lambda one: one[1].outlook, reverse=True):
        key = (prospect.outlook, prospect.because, prospect.requirement.rules)
        same = found.get(key)
        if same is None:
            same = found[key] = _places_prospect(prospect)
        same.places.append(place.words)
    return policy_pb2.PersonProspects(account=account_message(person.account), prospects=found.values())


def change_message(changed: Changed) -> policy_pb2.PersonChange:
    """A person of a plan."""
    return policy_pb2.PersonChange(
        account=account_message(changed.account),
        change=_CHANGES[changed.change],
        places=[place.words for place in changed.places],
        before=prospect_message(changed.before),
        after=prospect_message(changed.after),
    )


def prospect_message(prospect: Prospect) -> policy_pb2.Prospect:
    """What would become of a login."""
    return policy_pb2.Prospect(
        outlook=_OUTLOOKS[prospect.outlook],
        because=prospect.because,
        requirement=_requirement(prospect.requirement),
        factors=prospect.factors,
        grace=_grace(prospect.grace),
        otherwise=_otherwise(prospect),
    )


def traits_from(declared: Sequence[policy_pb2.FactorDeclaration]) -> Mapping[str, FactorTraits]:
    """The factors that a planned configuration would have, by name."""
    return {
        one.name: FactorTraits(one.name, one.silent, one.weak, one.last_resort, one.confirmed)
        for one in declared
    }


def in_messages(found: Sequence[T]) -> Iterator[Sequence[T]]:
    """The people of a page in pieces that fit a message; an empty piece for none, to tell of progress."""
    for start in range(0, max(1, len(found)), MOST_IN_A_MESSAGE):
        yield found[start : start + MOST_IN_A_MESSAGE]


def _places_prospect(prospect: Prospect) -> policy_pb2.PlacesProspect:
    return policy_pb2.PlacesProspect(
        outlook=_OUTLOOKS[prospect.outlook],
        because=prospect.because,
        rules=prospect.requirement.rules,
        grace=_grace(prospect.grace),
        otherwise=_otherwise(prospect),
    )


def _otherwise(prospect: Prospect) -> policy_pb2.Outlook.ValueType:
    if prospect.otherwise is None:
        return policy_pb2.OUTLOOK_UNSPECIFIED
    return _OUTLOOKS[prospect.otherwise]


def _requirement(requirement: Requirement) -> policy_pb2.Requirement:
    observed = requirement.observed
    return policy_pb2.Requirement(
        second_factor=_SECOND_FACTORS[requirement.second_factor],
        factors=sorted(requirement.factors),
        trusted_device_days=requirement.trusted_device_days,
        enrollment=_MODES[requirement.enrollment],
        grace_days=requirement.grace_days,
        grace_logins=requirement.grace_logins,
        rules=requirement.rules,
        exemption=requirement.exemption,
        observed_rules=() if observed is None else observed.rules,
        observed_factors=() if observed is None else sorted(observed.factors),
        uncertain=requirement.uncertain,
    )


def _grace(grace: Grace | None) -> policy_pb2.Grace | None:
    if grace is None:
        return None
    return policy_pb2.Grace(logins_left=grace.logins, end_time=timestamp(grace.until))
