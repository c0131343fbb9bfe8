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
    barred = _barred(requirement, holdings, traits)
    if barred:
        return Prospect(Outlook.LOCKED_OUT, f"{lacks}; {barred}", requirement)
    grace = grace_left(requirement, holdings.standing, holdings.now)
    if requirement.enrollment is EnrollmentMode.SELF:
        return Prospect(Outlook.ENROLLS, f"{lacks}; enrols at the next login", requirement, grace=grace)
    standing = holdings.standing
    if standing.invite and holdings.now < standing.invite_expires_at:
        return Prospect(Outlook.ENROLLS, f"{lacks}; enrols with the open invite", requirement, grace=grace)
    if grace is not None:
        return Prospect(Outlook.ENROLLS, f"{lacks}; no invite is open yet", requirement, grace=grace)
    return Prospect(Outlook.LOCKED_OUT, f"{lacks}; needs an invite, and none is open", requirement)


def _barred(requirement: Requirement, holdings: Holdings, traits: Mapping[str, FactorTraits]) -> str:
    """Why the person can not come to a credential at the login; empty where nothing stands against it."""
    if requirement.uncertain:
        return requirement.uncertain
    if requirement.enrollment is EnrollmentMode.CLOSED:
        return "an administrator has to enrol one"
    if not any(one.enrolled_at_login for name, one in traits.items() if name in requirement.factors):
        return "none of those that count can be set up at a login"
    held = [traits[name] for name in holdings.factors if name in traits and not traits[name].silent]
    if held and all(one.last_resort for one in held):
        return "can prove none of the others first"
    return ""


def _lacks(requirement: Requirement, holdings: Holdings, traits: Mapping[str, FactorTraits]) -> str:
    """What is missing, in words."""
    if not requirement.factors:
        return f"no factor counts for all of {', '.join(requirement.rules)}"
    others = sorted({name for name in holdings.factors if name in traits and not traits[name].silent})
    if others:
        return f"has {', '.join(others)}, which policy does not let count here"
    return "has no credential yet"
