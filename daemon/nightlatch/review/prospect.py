"""What would become of a person at a login: from what policy demands and what the person has. Pure.

MUST 1: it says what a login would do, and no more favourable a thing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nightlatch.policy.grace import grace_left
from nightlatch.policy.model import EnrollmentMode, SecondFactor
from nightlatch.review.model import Outlook, Prospect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nightlatch.model import Standing
    from nightlatch.policy.model import Requirement
    from nightlatch.review.model import FactorTraits


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the daemon keeps of a person."""

    factors: tuple[str, ...]
    """Those of the credentials that have not expired."""
    standing: Standing
    now: float


def prospect_of(requirement: Requirement, holdings: Holdings, traits: Mapping[str, FactorTraits]) -> Prospect:
    """What would become of a login that must show `requirement`; `traits` are the enabled factors'."""
    if requirement.second_factor is SecondFactor.SKIP:
        return Prospect(Outlook.EXEMPT, f"exempt: {requirement.exemption}", requirement)
    if requirement.second_factor is SecondFactor.OBSERVE:
        return _observed(requirement, holdings, traits)
    has = sorted(set(holdings.factors) & requirement.factors & traits.keys())
    counting = tuple(name for name in has if not traits[name].silent)
    if not counting:
        return _without(requirement, holdings, traits)
    words = ", ".join(counting)
    if all(traits[name].weak or traits[name].last_resort for name in counting):
        return Prospect(Outlook.WEAK, f"has only {words}", requirement, counting)
    return Prospect(Outlook.READY, f"has {words}", requirement, counting)


def _observed(requirement: Requirement, holdings: Holdings, traits: Mapping[str, FactorTraits]) -> Prospect:
    """Nothing is asked for: say what would be."""
    would = prospect_of(replace(requirement, second_factor=SecondFactor.REQUIRED), holdings, traits)
    because = f"{would.because}; nothing is asked for under observation"
    return Prospect(Outlook.OBSERVED, because, requirement, would.factors, otherwise=would.outlook)


def _without(requirement: Requirement, holdings: Holdings, traits: Mapping[str, FactorTraits]) -> Prospect:
    """A person with nothing that counts."""
    lacks = _lacks(requirement, holdings, traits)
    if requirement.uncertain:
        return Prospect(Outlook.LOCKED_OUT, f"{lacks}; {requirement.uncertain}", requirement)
    if _unprovable(holdings, traits):
        because = f"{lacks}; can prove nothing that another one could be added behind"
        return Prospect(Outlook.LOCKED_OUT, because, requirement)
    way, opened = _way(requirement, holdings, traits)
    grace = grace_left(requirement, holdings.standing, holdings.now)
    outlook = Outlook.ENROLLS if opened or grace is not None else Outlook.LOCKED_OUT
    return Prospect(outlook, f"{lacks}; {way}", requirement, grace=grace)


def _unprovable(holdings: Holdings, traits: Mapping[str, FactorTraits]) -> bool:
    """Whether the person has factors, but none that could be asked before another one is added."""
    held = [traits.get(name) for name in holdings.factors]
    asked = [one for one in held if one is not None and not one.silent and not one.last_resort]
    return not asked and any(one is None or not one.silent for one in held)


def _way(
    requirement: Requirement, holdings: Holdings, traits: Mapping[str, FactorTraits]
) -> tuple[str, bool]:
    """How the person comes to a credential, and whether the way is open."""
    if requirement.enrollment is EnrollmentMode.CLOSED:
        return "an administrator has to enrol one", False
    if not any(one.enrolled_at_login for name, one in traits.items() if name in requirement.factors):
        return "nothing that counts can be set up at a login", False
    if requirement.enrollment is EnrollmentMode.SELF:
        return "enrols at the next login", True
    if holdings.standing.invite and holdings.now < holdings.standing.invite_expires_at:
        return "enrols with the open invite", True
    return "needs an invite, and none is open", False


def _lacks(requirement: Requirement, holdings: Holdings, traits: Mapping[str, FactorTraits]) -> str:
    """What is missing, in words."""
    if not requirement.factors:
        return f"no factor counts for all of {', '.join(requirement.rules)}"
    others = sorted({name for name in holdings.factors if name in traits and not traits[name].silent})
    if others:
        return f"has {', '.join(others)}, which policy does not let count here"
    return "has no credential yet"
