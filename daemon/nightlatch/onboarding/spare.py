"""After a first credential: the codes for a day without it, where policy lets such a factor count.

MUST 1: they are stored before they are shown: what a person has written down counts.
MUST 2: that they can not be made keeps nobody out who has just proven a factor.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.errors import Conflict, Invalid, Unavailable
from nightlatch.model import Result
from nightlatch.onboarding import words
from nightlatch.onboarding.questions import ask
from nightlatch.onboarding.stand import Page, Waiting

if TYPE_CHECKING:
    from nightlatch.enrollment.making import Making
    from nightlatch.login.parts import Parts
    from nightlatch.login.step import Step
    from nightlatch.login.turn import Turn
    from nightlatch.onboarding.stand import Stand
    from nightlatch.plugins.facade import FactorFacade
    from nightlatch.policy.model import Requirement


class Spare:
    """Makes and shows them."""

    def __init__(self, parts: Parts, making: Making) -> None:
        self._parts = parts
        self._making = making

    async def ask(self, turn: Turn, requirement: Requirement, stand: Stand) -> Step | None:
        """Show what was made, and ask whether it is written down; None where there is nothing to show."""
        proven = stand.waiting
        facade = self._facade(requirement)
        if facade is None or proven is None:
            return None
        account = turn.account()
        try:
            present = await self._making.present(account)
            if any(one.factor == facade.name for one in present):
                return None
            made, credential = await self._making.make(account, facade, "", "")
            event = replace(turn.event_for(credential), event="credential.add", result=Result.CHANGED)
            await self._making.store(account, credential, event)
        except (Conflict, Invalid, Unavailable) as error:
            self._parts.log.warning("onboarding.no_spare", ref=turn.state.reference, reason=str(error))
            return None
        text = words.kept(facade.title, made, listed=not turn.state.draws_qr)
        waiting = Waiting(proven.id, proven.factor, proven.label, b"", b"", "", echo=True)
        return ask(turn, replace(stand, page=Page.KEPT, tries=0, waiting=waiting), text, made=made)

    def _facade(self, requirement: Requirement) -> FactorFacade | None:
        """The factor of codes that count as soon as they are shown."""
        for name, facade in self._parts.factors.items():
            plugin = facade.plugin
            unproven = not plugin.confirmed and plugin.medium is None
            if name in requirement.factors and unproven and not plugin.silent and not plugin.last_resort:
                return facade
        return None
