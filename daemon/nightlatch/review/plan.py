"""What another policy would change for a person. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.policy.model import SecondFactor
from nightlatch.review.model import Change, Changed, Outlook

if TYPE_CHECKING:
    from nightlatch.model import Account
    from nightlatch.policy.model import Requirement
    from nightlatch.review.model import Place, Prospect


def changed(
    account: Account,
    before: tuple[tuple[Place, Prospect], ...],
    after: tuple[tuple[Place, Prospect], ...],
) -> Changed | None:
    """The gravest change for a person over the same places, with those where it is so; None for no change."""
    found = [
        (change, place, was, will)
        for (place, was), (_, will) in zip(before, after, strict=True)
        if (change := change_of(was, will)) is not None
    ]
    if not found:
        return None
    gravest = max(change for change, *_ in found)
    _, _, was, will = next(one for one in found if one[0] is gravest)
    places = tuple(place for change, place, *_ in found if change is gravest)
    return Changed(account, gravest, was, will, places)


def change_of(before: Prospect, after: Prospect) -> Change | None:
    """What is different between two prospects of the same login."""
    was, will = before.requirement, after.requirement
    locked_before, locked_after = (one.outlook is Outlook.LOCKED_OUT for one in (before, after))
    if locked_before is not locked_after:
        return Change.LOCKED_OUT if locked_after else _let_in(will)
    if was.second_factor is not will.second_factor:
        return _asked(was, will)
    if was.second_factor is SecondFactor.SKIP:
        return None
    if was.factors != will.factors:
        return Change.FACTORS
    return Change.TERMS if _terms(was) != _terms(will) else None


def _let_in(will: Requirement) -> Change:
    return Change.EXEMPTED if will.second_factor is SecondFactor.SKIP else Change.LET_IN


def _asked(was: Requirement, will: Requirement) -> Change:
    if will.second_factor is SecondFactor.SKIP:
        return Change.EXEMPTED
    return Change.ASKED_MORE if will.second_factor > was.second_factor else Change.ASKED_LESS


def _terms(one: Requirement) -> tuple[object, ...]:
    observed = one.observed and one.observed.factors
    return one.trusted_device_days, one.enrollment, one.grace_days, one.grace_logins, observed
