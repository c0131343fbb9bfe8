"""Judges people by a policy: what would become of each in each place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.policy.conditions import Users
from nightlatch.policy.evaluate import decide
from nightlatch.policy.model import Applies, Finding, Judged, LoginFacts, Requirement, SecondFactor
from nightlatch.review.model import Outlook, Prospect
from nightlatch.review.prospect import prospect_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nightlatch.policy.policy import Policy
    from nightlatch.review.census import Counted
    from nightlatch.review.model import FactorTraits, Place

_OUT = Prospect(Outlook.DISABLED, "may not sign in at all", Requirement(SecondFactor.REQUIRED, frozenset()))


class Judging:
    """One policy, and the traits of the factors that are enabled with it."""

    def __init__(self, policy: Policy, traits: Mapping[str, FactorTraits], rule: str = "") -> None:
        """With `rule`, only those matter whom the rule of that name may concern."""
        self._policy = policy
        self._traits = traits
        self._rule = rule

    def in_places(self, person: Counted, places: Sequence[Place]) -> tuple[tuple[Place, Prospect], ...]:
        """What would become of a person in each place; nothing where the chosen rule does not concern them.

        Where a login comes from and when it is, nobody knows here: a rule that demands something counts as if
        it applied, one that leaves something out does not.
        """
        found = ((place, self._in(person, place)) for place in places)
        return tuple((place, prospect) for place, prospect in found if prospect is not None)

    def _in(self, person: Counted, place: Place) -> Prospect | None:
        facts = LoginFacts(
            person.account,
            person.folds_case,
            place.service,
            "",
            place.client,
            person.holdings.now,
            person.groups,
            any_time=True,
        )
        judged = self._policy.judge(facts)
        if self._rule and not self._concerns(judged):
            return None
        if not person.enabled:
            return _OUT
        requirement = decide(tuple(_at_worst(one, facts) for one in judged), self._policy.enabled)
        return prospect_of(requirement, person.holdings, self._traits)

    def _concerns(self, judged: Sequence[Judged]) -> bool:
        return any(one.rule.name == self._rule and one.finding.applies is not Applies.NO for one in judged)


def _at_worst(one: Judged, facts: LoginFacts) -> Judged:
    """A demand whose place or time is not known, as if it applied: there is a login where it does.

    One that names another name of the person stays unknown: so it is at every login.
    """
    unknown = one.finding.applies is Applies.UNKNOWN and one.rule.second_factor is SecondFactor.REQUIRED
    if unknown and not _by_another_name(one, facts):
        return Judged(one.rule, Finding(Applies.YES, one.finding.words))
    return one


def _by_another_name(one: Judged, facts: LoginFacts) -> bool:
    named = (each for each in (*one.rule.match.who, *one.rule.match.unless) if isinstance(each, Users))
    return any(each.judge(facts).applies is Applies.UNKNOWN for each in named)
