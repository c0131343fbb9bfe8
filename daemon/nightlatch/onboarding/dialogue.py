"""The dialogue in which a person sets up a second step, or puts it off, inside a login.

MUST 1: nobody gets in by it but behind a credential that was proven, or grace that was counted, just now; or
        who was in before (`Stand.granted`), by a last resort.
MUST 2: what policy says is asked anew at every answer: enrolment that was closed meanwhile is closed.
MUST 3: every answer has spent its ticket before it comes here: no question is answered twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.errors import Invalid, Locked, Refused, Restricted, Unavailable
from nightlatch.login import words as login_words
from nightlatch.login.answers import read_code, read_no, read_yes
from nightlatch.login.onboarding import Onboarded
from nightlatch.login.step import PromptKind
from nightlatch.onboarding import grace, invited, words
from nightlatch.onboarding.condition import StillSo
from nightlatch.onboarding.questions import MOST_TRIES, ask
from nightlatch.onboarding.setting_up import SettingUp
from nightlatch.onboarding.stand import Page, Stand
from nightlatch.policy.grace import grace_left
from nightlatch.policy.model import EnrollmentMode

if TYPE_CHECKING:
    from nightlatch.enrollment.invites import Invites
    from nightlatch.login.parts import Parts
    from nightlatch.login.step import Step
    from nightlatch.login.turn import Turn
    from nightlatch.policy.grace import Grace
    from nightlatch.policy.model import Requirement

NOTHING = "no credential, and enrolment at the login is not open"


class Dialogue:
    """Grace, invites, and the way to `SettingUp`."""

    def __init__(self, parts: Parts, invites: Invites) -> None:
        self._parts = parts
        self._invites = invites
        self._setting_up = SettingUp(parts)

    async def possible(self, turn: Turn, requirement: Requirement) -> bool:
        """Whether there is anything to ask; raises Unavailable."""
        return self._open(requirement) or await self._grace(turn, requirement) is not None

    async def begin(self, turn: Turn, requirement: Requirement) -> Step:
        """The first question; raises Refused, Unavailable."""
        left = await self._grace(turn, requirement)
        if left is None:
            return await self._enter(turn, requirement, Stand())
        text = words.grace(left, can_enrol=self._open(requirement))
        return ask(turn, Stand(Page.GRACE), text, kind=PromptKind.CHOICE)

    async def offer(self, turn: Turn, requirement: Requirement) -> Step | None:
        """The question after a last resort; None where nothing can be set up."""
        if not self._open(requirement):
            return None
        if requirement.enrollment is not EnrollmentMode.SELF:
            try:
                standing = await self._parts.store.standing(turn.account().id)
            except Unavailable:
                return None
            if not standing.invite or self._parts.clock.now() >= standing.invite_expires_at:
                return None
        return ask(turn, Stand(Page.OFFER, granted=True), words.ANEW, kind=PromptKind.CHOICE)

    async def take(self, turn: Turn, requirement: Requirement, answer: bytes) -> Step | Onboarded:
        """What follows an answer; raises Refused, Locked, Unavailable, but not to those who are in."""
        stand = Stand.of(turn.state.onboarding)
        try:
            return await self._take(turn, requirement, stand, answer)
        except (Refused, Locked, Unavailable, Invalid) as error:
            if not stand.granted:
                raise
            self._parts.log.info("onboarding.ended", ref=turn.state.reference, reason=str(error))
            return _in_before()

    async def _take(
        self, turn: Turn, requirement: Requirement, stand: Stand, answer: bytes
    ) -> Step | Onboarded:
        match stand.page:
            case Page.KEPT:
                assert stand.waiting is not None  # its page is asked with one
                proven = stand.waiting.credential(turn.account().id)
                return Onboarded("set up at this login", credential=proven, recheck=True)
            case Page.GRACE:
                return await self._take_grace(turn, requirement, answer)
            case Page.OFFER if read_no(answer):
                return _in_before()
            case Page.INVITE if self._open(requirement):
                return await self._take_invite(turn, requirement, stand, answer)
        self._refuse_closed(requirement)
        if stand.page is Page.OFFER or _invite_needed(requirement, stand):
            return await self._enter(turn, requirement, stand)
        return await self._setting_up.take(turn, requirement, stand, answer)

    async def _take_grace(self, turn: Turn, requirement: Requirement, answer: bytes) -> Step | Onboarded:
        can_enrol = self._open(requirement)
        if read_no(answer) if can_enrol else read_yes(answer):
            scope = limits.factor_scope(turn.account().id)
            condition = StillSo(self._parts, turn.state, requirement, scope)
            reason = await grace.use(self._parts, turn, requirement, condition)
            if reason:
                return Onboarded(reason)
        return await self._enter(turn, requirement, Stand())

    async def _enter(self, turn: Turn, requirement: Requirement, stand: Stand) -> Step:
        """The first question on the way to a new credential; raises Refused where there is no way."""
        self._refuse_closed(requirement)
        if _invite_needed(requirement, stand):
            return ask(turn, replace(stand, page=Page.INVITE), words.INVITE)
        return await self._setting_up.begin(turn, requirement, stand)

    async def _take_invite(
        self, turn: Turn, requirement: Requirement, stand: Stand, answer: bytes
    ) -> Step | Onboarded:
        if await invited.spend(self._parts, self._invites, turn, read_code(answer)):
            return await self._setting_up.begin(turn, requirement, replace(stand, invited=True, tries=0))
        if stand.tries + 1 >= MOST_TRIES:
            turn.recorded = True
            raise Restricted("wrong invite", words.NO_INVITE)
        again = replace(stand, tries=stand.tries + 1)
        await turn.hold()
        return ask(turn, again, f"{words.WRONG_INVITE} {words.INVITE}")

    async def _grace(self, turn: Turn, requirement: Requirement) -> Grace | None:
        if not requirement.grace_days and not requirement.grace_logins:
            return None
        standing = await self._parts.store.standing(turn.account().id)
        return grace_left(requirement, standing, self._parts.clock.now())

    def _open(self, requirement: Requirement) -> bool:
        """Whether a person may set something up here, and there is something."""
        return requirement.enrollment is not EnrollmentMode.CLOSED and bool(
            self._setting_up.ways(requirement)
        )

    def _refuse_closed(self, requirement: Requirement) -> None:
        """Refuse where policy lets nothing be set up, or does so no more."""
        if requirement.uncertain:
            raise Unavailable("policy", requirement.uncertain)
        if not self._open(requirement):
            raise Restricted(NOTHING, login_words.NO_CREDENTIAL)


def _invite_needed(requirement: Requirement, stand: Stand) -> bool:
    return requirement.enrollment is EnrollmentMode.INVITE and not stand.invited


def _in_before() -> Onboarded:
    return Onboarded("in by a last resort", login_words.ENROL_ANEW, recheck=True)
