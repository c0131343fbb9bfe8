"""Sets a new credential up inside a login: which factor, where to, what to show, the code that proves it.

MUST 1: nothing is stored before its code was right; a wrong one stores nothing, and three end the login.
MUST 2: an address is proven by the code, wherever it came from.
MUST 3: the secret is in one prompt, once; afterwards it is in the sealed ticket alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.channel import Medium, NotSent
from nightlatch.enrollment.addresses import offered_addresses, read_address
from nightlatch.enrollment.asking import challenged
from nightlatch.enrollment.making import Confirmation, Making
from nightlatch.errors import Conflict, Invalid, Locked, Restricted, Unavailable
from nightlatch.factor import Decision
from nightlatch.login import words as login_words
from nightlatch.login.answers import read_choice, read_code
from nightlatch.login.onboarding import Onboarded
from nightlatch.login.step import PromptKind
from nightlatch.model import Result
from nightlatch.onboarding import words
from nightlatch.onboarding.condition import StillSo
from nightlatch.onboarding.questions import MOST_TRIES, ask
from nightlatch.onboarding.spare import Spare
from nightlatch.onboarding.stand import Page, Stand, Waiting
from nightlatch.sending import TooManyMessages

if TYPE_CHECKING:
    from nightlatch.factor import Enrollment
    from nightlatch.login.parts import Parts
    from nightlatch.login.step import Step
    from nightlatch.login.turn import Turn
    from nightlatch.model import Credential
    from nightlatch.plugins.facade import FactorFacade
    from nightlatch.policy.model import Requirement

PENDING_SECONDS = 2
TOO_MANY = "the account has too many credentials"
_KINDS = {Medium.PHONE: "a phone number", Medium.MAILBOX: "an email address"}


class SettingUp:
    """Asks the questions on the way to a new credential."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._making = Making(parts)
        self._spare = Spare(parts, self._making)

    def ways(self, requirement: Requirement) -> list[FactorFacade]:
        """The factors that may be set up here: those that count, and that a person can prove at once."""
        return [
            facade
            for name, facade in self._parts.factors.items()
            if name in requirement.factors
            and facade.plugin.confirmed
            and not facade.plugin.silent
            and not facade.plugin.last_resort
        ]

    async def begin(self, turn: Turn, requirement: Requirement, stand: Stand) -> Step:
        """The first question: which factor, where there are several."""
        ways = self.ways(requirement)
        if len(ways) == 1:
            return await self._chosen(turn, stand, ways[0])
        return self._ask_way(turn, requirement, stand)

    async def take(
        self, turn: Turn, requirement: Requirement, stand: Stand, answer: bytes
    ) -> Step | Onboarded:
        """What follows an answer; raises Refused, Locked, Unavailable."""
        match stand.page:
            case Page.WAY:
                return await self._take_way(turn, requirement, stand, answer)
            case Page.ADDRESS:
                return await self._take_address(turn, requirement, stand, answer)
            case Page.CODE:
                return await self._take_code(turn, requirement, stand, answer)
        raise Invalid("this is no question of setting up a credential")

    def _ask_way(self, turn: Turn, requirement: Requirement, stand: Stand, before: str = "") -> Step:
        text = words.ways([facade.title for facade in self.ways(requirement)], before)
        return ask(turn, replace(stand, page=Page.WAY), text, kind=PromptKind.CHOICE)

    async def _take_way(self, turn: Turn, requirement: Requirement, stand: Stand, answer: bytes) -> Step:
        ways = self.ways(requirement)
        chosen = read_choice(answer, len(ways), 0)
        if chosen is None:
            again = _once_more(stand, "no such number", login_words.NO_SUCH_NUMBER)
            return self._ask_way(turn, requirement, again, login_words.NO_SUCH_NUMBER)
        return await self._chosen(turn, replace(stand, tries=0), ways[chosen])

    async def _chosen(self, turn: Turn, stand: Stand, facade: FactorFacade) -> Step:
        stand = replace(stand, factor=facade.name)
        if facade.plugin.medium is None:
            try:
                return await self._make(turn, stand, facade, "")
            except Invalid as error:
                raise Restricted("the factor takes no such enrolment", str(error)) from None
            except NotSent as error:
                raise Unavailable(f"factor {facade.name}", error.reason) from None
        return await self._ask_address(turn, stand, facade)

    async def _ask_address(self, turn: Turn, stand: Stand, facade: FactorFacade, before: str = "") -> Step:
        assert facade.plugin.medium is not None
        offered = await offered_addresses(self._making, turn.account(), facade)
        masked = [one.masked for one in offered]
        text = words.address(facade.title, _KINDS[facade.plugin.medium], masked, before)
        return ask(turn, replace(stand, page=Page.ADDRESS), text)

    async def _take_address(self, turn: Turn, requirement: Requirement, stand: Stand, answer: bytes) -> Step:
        facade = self._facade(requirement, stand.factor)
        address = read_address(answer, await offered_addresses(self._making, turn.account(), facade))
        if not address:
            again = _once_more(stand, "no address was given", words.NO_ANSWER)
            return await self._ask_address(turn, again, facade, words.NO_ANSWER)
        try:
            return await self._make(turn, stand, facade, address)
        except Invalid as error:
            again = _once_more(stand, "no address that codes can go to", str(error))
            return await self._ask_address(turn, again, facade, str(error))
        except NotSent as error:
            if stand.tries + 1 >= MOST_TRIES:
                raise Unavailable(f"factor {facade.name}", error.reason) from None
            again = replace(stand, tries=stand.tries + 1)
            return await self._ask_address(turn, again, facade, login_words.NOT_SENT)

    async def _make(self, turn: Turn, stand: Stand, facade: FactorFacade, address: str) -> Step:
        """Make the credential, show it, and ask for its first code; raises Invalid, NotSent, Unavailable."""
        account = turn.account()
        made, credential = await self._making.make(account, facade, "", address)
        try:
            present = await self._making.present(account)
        except Conflict:
            raise Restricted(TOO_MANY, words.TOO_MANY) from None
        taken = {one.label for one in present if one.factor == facade.name}
        credential = replace(credential, label=_free(credential.label, taken))
        stand = replace(stand, page=Page.CODE, tries=0)
        return await self._ask_code(turn, stand, credential, made=made)

    async def _ask_code(
        self,
        turn: Turn,
        stand: Stand,
        credential: Credential,
        memo: bytes = b"",
        made: Enrollment | None = None,
    ) -> Step:
        event, service = turn.event_for(credential), turn.state.service
        try:
            challenge = await challenged(
                self._parts, turn.account(), credential, event, memo=memo, service=service
            )
        except TooManyMessages as error:
            told = login_words.too_many_messages(error.retry_after)
            raise Locked(f"message not sent: {error.reason}", error.retry_after, told) from None
        state = credential.state if challenge.state is None else challenge.state
        prompt = login_words.question(challenge.prompt or "", "", others=False)
        waiting = Waiting(
            credential.id, credential.factor, credential.label, state, challenge.memo, prompt, challenge.echo
        )
        above = words.shown(made) if made is not None and not turn.state.draws_qr else ""
        return ask(turn, replace(stand, waiting=waiting), f"{above}{prompt}", echo=challenge.echo, made=made)

    async def _take_code(
        self, turn: Turn, requirement: Requirement, stand: Stand, answer: bytes
    ) -> Step | Onboarded:
        waiting = stand.waiting
        assert waiting is not None  # its page is asked with one
        facade = self._facade(requirement, waiting.factor)
        credential = waiting.credential(turn.account().id)
        confirmation = self._confirmation(turn, requirement, stand, credential, waiting.memo)
        try:
            decision = await self._making.confirm(confirmation, read_code(answer))
        except Conflict:
            raise Restricted(TOO_MANY, words.TOO_MANY) from None
        match decision:
            case Decision.ACCEPT:
                turn.state = replace(turn.state, credential_id=credential.id)
                spare = await self._spare.ask(turn, requirement, stand)
                return spare or Onboarded("set up at this login", credential=credential)
            case Decision.PENDING:
                return turn.wait(login_words.PENDING, PENDING_SECONDS)
            case Decision.AGAIN:
                try:
                    return await self._ask_code(turn, stand, credential, waiting.memo)
                except NotSent as error:
                    raise Unavailable(f"factor {facade.name}", error.reason) from None
        again = _once_more(stand, "wrong first code", words.NOTHING_STORED)
        await turn.hold()
        return ask(turn, again, f"{login_words.WRONG_CODE} {waiting.prompt}", echo=waiting.echo)

    def _confirmation(
        self, turn: Turn, requirement: Requirement, stand: Stand, credential: Credential, memo: bytes
    ) -> Confirmation:
        scope = limits.factor_scope(turn.account().id)
        added = replace(turn.event_for(credential), event="credential.add", result=Result.CHANGED)
        entered = replace(added, event="login.factor", result=Result.GRANTED, reason="set up at this login")
        return Confirmation(
            turn.account(),
            credential,
            memo,
            added,
            also=() if stand.granted else (entered,),
            scopes=(scope,),
            condition=StillSo(self._parts, turn.state, requirement, scope, granted=stand.granted),
        )

    def _facade(self, requirement: Requirement, factor: str) -> FactorFacade:
        """The chosen factor; raises Restricted where it may not be set up any more."""
        found = next((facade for facade in self.ways(requirement) if facade.name == factor), None)
        if found is None:
            raise Restricted("policy does not let this factor count here", login_words.NO_CREDENTIAL)
        return found


def _once_more(stand: Stand, reason: str, told: str) -> Stand:
    """The stand after an answer that was of no use; raises Restricted after the last one."""
    if stand.tries + 1 >= MOST_TRIES:
        raise Restricted(reason, told)
    return replace(stand, tries=stand.tries + 1)


def _free(label: str, taken: set[str]) -> str:
    """A name that no other credential of the factor has: "Authenticator app", "Authenticator app 2"."""
    names = (label, *(f"{label} {number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
