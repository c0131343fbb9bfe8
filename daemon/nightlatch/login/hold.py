"""The hold: what is added after a rescue signs in, and changes nothing, until a day is over (REC-04).

A rescue is a login by a factor that people do not sign in with every day: a printed code, a last resort.
Whoever came in so may add a factor. The person is told of both, and has until the end of the hold to act with
an older one.

MUST 1: the hold is decided in the transaction that stores the credential, and kept beside it: a later rescue,
        new printed codes, or taking the used ones away ends none.
MUST 2: what is added by somebody who is on hold, or after somebody who is, is on hold as long.
MUST 3: a factor that is switched off counts as a rescue: nobody can tell what it was.
MUST 4: a fresh proof by a factor of every day that is not on hold is the one thing that spares the hold.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nightlatch.factor import FactorPlugin
    from nightlatch.model import Credential, Snapshot, Standing
    from nightlatch.plugins.facade import FactorFacade

HOLD = 86_400.0
"""Seconds from a rescue on."""


class Level(IntEnum):
    """How much a proof is worth for changes to an account."""

    NONE = 0
    RESCUE = 1
    """By a rescue, or by what is on hold after one: good for adding something."""
    FULL = 2


def is_full(plugin: FactorPlugin) -> bool:
    """Whether a factor is one that people sign in with every day."""
    return plugin.confirmed and not plugin.silent and not plugin.last_resort


def ends_at(standing: Standing, credential_id: str, now: float) -> float:
    """When a credential's hold ends; 0 for one that is not on hold."""
    return max((end for held, end in standing.holds if held == credential_id and now < end), default=0.0)


def on_hold(standing: Standing, now: float) -> dict[str, float]:
    """Until when each credential on hold is so, by its id."""
    return {held: ends_at(standing, held, now) for held, end in standing.holds if now < end}


def worth(snapshot: Snapshot, credential_id: str, level: Level) -> Level:
    """What a proof of a factor's level is worth by this credential: nothing once it was taken away."""
    if not any(one.id == credential_id for one in snapshot.credentials):
        return Level.NONE
    return min(level, Level.RESCUE) if ends_at(snapshot.standing, credential_id, snapshot.now) else level


def after_adding(
    snapshot: Snapshot, factors: Mapping[str, FactorFacade], credential: Credential, shown: Level
) -> Standing:
    """The standing with a new credential, on hold where it has to be.

    `shown` is what the one who adds it has shown for that; NONE where somebody else answers for it.
    """
    standing, now = snapshot.standing, snapshot.now
    holds = tuple((held, end) for held, end in standing.holds if now < end)
    end = now
    if shown is not Level.FULL:
        ends = [end for _, end in holds]
        ends += [_rescued_at(standing, snapshot.credentials, factors) + HOLD]
        ends += [now + HOLD] if shown is Level.RESCUE else []
        end = max(ends)
    if end > now and _may_be_full(factors, credential):
        holds = (*holds, (credential.id, end))
    return replace(standing, holds=holds)


def after_removing(
    standing: Standing, factors: Mapping[str, FactorFacade], removed: Iterable[Credential]
) -> Standing:
    """The standing without some credentials, which remembers their rescues."""
    gone = tuple(removed)
    ids = {one.id for one in gone}
    holds = tuple(one for one in standing.holds if one[0] not in ids)
    return replace(standing, holds=holds, rescued_at=_rescued_at(standing, gone, factors))


def _rescued_at(
    standing: Standing, credentials: Iterable[Credential], factors: Mapping[str, FactorFacade]
) -> float:
    """When somebody last came in by a rescue, by one of these or one that is gone; 0 for never."""
    used = (one.last_used_at or 0.0 for one in credentials if _rescues(factors, one))
    return max((standing.rescued_at, *used))


def _rescues(factors: Mapping[str, FactorFacade], credential: Credential) -> bool:
    facade = factors.get(credential.factor)
    return facade is None or not (facade.plugin.silent or is_full(facade.plugin))


def _may_be_full(factors: Mapping[str, FactorFacade], credential: Credential) -> bool:
    facade = factors.get(credential.factor)
    return facade is None or is_full(facade.plugin)
