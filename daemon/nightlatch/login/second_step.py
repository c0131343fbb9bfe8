"""The second step of a login, from the first question to the outcome.

MUST 1: `_granted` follows nothing but an accepted proof that the store has committed; without a proof only
        policy lets anyone in, where `Waiver` or `Onboarding` has committed why.
MUST 2: a message that can not leave never skips the second step: another way is offered, or the login ends.
MUST 3: a person who has a factor, though none that counts here, proves it before another one may be set up;
        that proof alone grants nothing. A device is no such proof, nor is a last resort (DEV-03).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.channel import NotSent
from nightlatch.errors import Locked, Restricted, Unavailable
from nightlatch.login import words
from nightlatch.login.answers import read_choice, read_code, read_yes
from nightlatch.login.facts import nothing_counts
from nightlatch.login.offer import Offer
from nightlatch.login.onboarding import Onboarded
from nightlatch.login.second_factor import SecondFactor
from nightlatch.login.step import PromptKind, Verdict
from nightlatch.login.ticket import Stage, TicketError
from nightlatch.login.trial import HELD, Proof
from nightlatch.login.turn import ANSWERED
from nightlatch.login.waiver import Waiver
from nightlatch.model import Result
from nightlatch.policy.model import SecondFactor as Demand
from nightlatch.sending import TooManyMessages

if TYPE_CHECKING:
    from nightlatch.login.onboarding import Onboarding
    from nightlatch.login.parts import Parts
    from nightlatch.login.step import Step
    from nightlatch.login.trial import Judgement
    from nightlatch.login.turn import Turn
    from nightlatch.model import Credential
    from nightlatch.policy.model import Requirement

MAX_TRIES = 3
"""Wrong codes after which a login ends, and the person has to begin another."""
PENDING_SECONDS = 2
OTHER_WAY = "?"


class SecondStep:
    """Asks, and takes the answers."""

    def __init__(self, parts: Parts, onboarding: Onboarding) -> None:
        self._parts = parts
        self._onboarding = onboarding
        self._second = SecondFactor(parts)
        self._offer = Offer(parts)
        self._waiver = Waiver(parts)

    async def begin(self, turn: Turn) -> Step:
        """The first factor was right. Everyone passes here; who gets on without a proof, policy says."""
        turn.second = True
        requirement = await self._second.requirement(turn)
        if requirement.second_factor is not Demand.REQUIRED:
            return await self._waived(turn, requirement)
        evidence = await self._second.check_evidence(turn, requirement)
        if evidence.proof is Proof.ACCEPTED:
            return await self._granted(turn, evidence, requirement)
        usable = await self._second.usable(turn)
        if not usable:
            if requirement.uncertain:
                raise Unavailable("policy", requirement.uncertain)
            return await self._onboard(turn, requirement)
        held = await self._second.on_hold(turn)
        before = "" if held is None else f"{words.on_hold(*held, others=True)}\n"
        return await self._ask(turn, usable[0], usable, before)

    async def take_choice(self, turn: Turn, answer: bytes) -> Step:
        """The number of a way."""
        await turn.spend()
        usable = await self._second.usable(turn)
        chosen = read_choice(answer, len(usable), turn.state.default)
        if chosen is None:
            return self._ask_choice(turn, usable, words.NO_SUCH_NUMBER)
        return await self._ask(turn, usable[chosen], usable)

    async def take_last_resort(self, turn: Turn, answer: bytes) -> Step:
        """Whether to send a message to somebody who has nothing else at hand."""
        await turn.spend()
        usable = await self._second.usable(turn)
        chosen = next((one for one in usable if one.id == turn.state.credential_id), None)
        if chosen is None or not read_yes(answer):
            return self._ask_choice(turn, usable)
        step = await self._challenge(turn, chosen, usable)
        told = self._second.plugin(chosen).told
        if told and turn.state.stage is Stage.FACTOR:  # the message has left: whoever it is for hears of it
            self._parts.notices.tell(told, turn.event_for(chosen))
        return step

    async def take_proof(self, turn: Turn, answer: bytes) -> Step:
        """The answer to a challenge, or the wish for another way."""
        code = read_code(answer)
        if code.reveal().strip() == OTHER_WAY:
            usable = await self._second.usable(turn)
            if len(usable) > 1:
                await turn.spend()
                return self._ask_choice(turn, usable)
        judgement = await self._second.check(turn, code)
        match judgement.proof:
            case Proof.ACCEPTED if turn.state.proving:
                self._tell_of_use(turn, judgement)
                return await self._onboarding.begin(turn, await self._second.requirement(turn))
            case Proof.ACCEPTED:
                return await self._granted(turn, judgement, await self._second.requirement(turn))
            case Proof.PENDING:
                return turn.wait(words.PENDING, PENDING_SECONDS)
            case Proof.LOCKED:
                turn.recorded = True
                raise Locked(judgement.reason, judgement.retry_after)
            case Proof.AGAIN:
                assert judgement.credential is not None
                return await self._challenge(turn, judgement.credential, await self._second.usable(turn))
        turn.log(Result.REFUSED, judgement.reason)
        await turn.hold()
        if judgement.proof is Proof.SPENT:
            raise TicketError(ANSWERED)
        return await self._again(turn)

    async def take_offer(self, turn: Turn, answer: bytes) -> Step:
        """The proof was accepted; whether the device shall be trusted from now on.

        What was locked or removed while the question was open does not get in (SES-04).
        """
        await turn.spend()
        await self._second.refuse_if_changed(turn)
        requirement = await self._second.requirement(turn)
        token = await self._offer.take(turn, requirement) if read_yes(answer) else ""
        return turn.outcome(Verdict.GRANTED, "", token=token)

    async def take_onboarding(self, turn: Turn, answer: bytes) -> Step:
        """An answer in the dialogue in which a second step is set up."""
        await turn.spend()
        requirement = await self._second.requirement(turn)
        if requirement.second_factor is not Demand.REQUIRED:
            return await self._waived(turn, requirement)
        found = await self._onboarding.take(turn, requirement, answer)
        if not isinstance(found, Onboarded):
            return found
        if found.recheck:
            await self._second.refuse_if_changed(turn)
        turn.log(Result.GRANTED, found.reason)
        if found.credential is None:
            return turn.outcome(Verdict.GRANTED, found.message)
        turn.state = replace(turn.state, factor=found.credential.factor)
        if requirement.observed is not None:
            await self._waiver.observe(turn, requirement.observed, found.credential.factor)
        return self._let_in(turn, found.message, self._offer.question(turn, requirement))

    async def _waived(self, turn: Turn, requirement: Requirement) -> Step:
        """Policy asks for no second factor of this login."""
        reason = await self._waiver.use(turn, requirement)
        turn.log(Result.GRANTED, reason)
        return turn.outcome(Verdict.GRANTED, "")

    async def _onboard(self, turn: Turn, requirement: Requirement) -> Step:
        """Nothing counts here: prove what there is, then set something up; or the login ends."""
        if not await self._onboarding.possible(turn, requirement):
            raise await self._nothing_counts(turn, requirement)
        if not await self._second.has_other(turn):
            return await self._onboarding.begin(turn, requirement)
        turn.state = replace(turn.state, proving=True)
        usable = await self._second.usable(turn)
        if not usable:
            raise await self._nothing_counts(turn, requirement)
        return await self._challenge(turn, usable[0], usable, words.PROVE_FIRST)

    async def _nothing_counts(self, turn: Turn, requirement: Requirement) -> Restricted:
        held = await self._second.on_hold(turn)
        if held is not None:
            return Restricted(HELD, words.on_hold(*held, others=False))
        credentials = await self._parts.store.credentials(turn.account().id)
        return Restricted(nothing_counts(requirement, credentials), words.NO_CREDENTIAL)

    async def _ask(
        self, turn: Turn, credential: Credential, usable: tuple[Credential, ...], before: str = ""
    ) -> Step:
        if self._second.plugin(credential).last_resort:
            text = before + words.last_resort(credential.label)
            return turn.ask(
                PromptKind.CHOICE, Stage.LAST_RESORT, text, echo=True, credential_id=credential.id
            )
        return await self._challenge(turn, credential, usable, before)

    async def _challenge(
        self, turn: Turn, credential: Credential, usable: tuple[Credential, ...], before: str = ""
    ) -> Step:
        same = credential.id == turn.state.credential_id
        try:
            challenge = await self._second.challenge(turn, credential, turn.state.memo if same else b"")
        except NotSent as error:
            return await self._not_sent(turn, credential, usable, error)
        if challenge.prompt is None:
            raise Unavailable(f"factor {credential.factor}", "asks nothing, though it is not silent")
        label = credential.label if challenge.labelled else ""
        prompt = words.question(challenge.prompt, label, others=len(usable) > 1)
        return turn.ask_code(credential, challenge, prompt, before)

    async def _not_sent(
        self, turn: Turn, credential: Credential, usable: tuple[Credential, ...], error: NotSent
    ) -> Step:
        """No message has left: another way, or an end that says whether it was an outage or a limit."""
        limited = error if isinstance(error, TooManyMessages) else None
        result = Result.LOCKED if limited else Result.UNAVAILABLE
        await turn.record(result, f"message not sent: {error.reason}")
        others = tuple(one for one in usable if one.id != credential.id)
        if others:
            before = words.another_message(limited.retry_after) if limited else words.NOT_SENT
            return self._ask_choice(turn, usable, before, default=usable.index(others[0]))
        if limited is None:
            turn.recorded = True
            raise Unavailable(f"factor {credential.factor}", error.reason)
        await turn.hold()
        return turn.outcome(Verdict.LOCKED, words.too_many_messages(limited.retry_after), limited.retry_after)

    def _ask_choice(
        self, turn: Turn, usable: tuple[Credential, ...], before: str = "", default: int = 0
    ) -> Step:
        text = words.choices([self._second.title(one) for one in usable], default + 1, before)
        turn.state = replace(turn.state, default=default)
        return turn.ask(PromptKind.CHOICE, Stage.CHOICE, text, echo=True)

    async def _again(self, turn: Turn) -> Step:
        """After a wrong code: the same question again, or the end of this login."""
        usable = await self._second.usable(turn)
        present = any(one.id == turn.state.credential_id for one in usable)
        if not present or turn.state.tries + 1 >= MAX_TRIES:
            return turn.outcome(Verdict.REFUSED, words.WRONG_CODE)
        return turn.ask_again(words.WRONG_CODE)

    async def _granted(self, turn: Turn, judgement: Judgement, requirement: Requirement) -> Step:
        """What follows when the store has committed an accepted proof of this login."""
        assert judgement.credential is not None
        turn.log(Result.GRANTED, judgement.reason)
        turn.state = replace(turn.state, factor=judgement.credential.factor)
        if requirement.observed is not None:
            await self._waiver.observe(turn, requirement.observed, judgement.credential.factor)
        self._tell_of_use(turn, judgement)
        plugin = self._second.plugin(judgement.credential)
        if plugin.last_resort:
            offered = await self._onboarding.offer(turn, requirement)
            return offered or turn.outcome(Verdict.GRANTED, words.ENROL_ANEW, token=judgement.token)
        question = "" if plugin.silent else self._offer.question(turn, requirement)
        return self._let_in(turn, judgement.notice, question, judgement.token)

    def _tell_of_use(self, turn: Turn, judgement: Judgement) -> None:
        """Tell the person that a factor was used of whose use they are told."""
        assert judgement.credential is not None
        plugin = self._second.plugin(judgement.credential)
        if plugin.told and not plugin.last_resort:
            left = judgement.uses_left
            more = {} if left is None else {"left": str(left)}
            self._parts.notices.tell(plugin.told, turn.event_for(judgement.credential), more=more)

    def _let_in(self, turn: Turn, message: str, question: str, token: str = "") -> Step:
        """The grant, or the question about the device in front of it."""
        if question:
            text = f"{message}\n{question}" if message else question
            return turn.ask(PromptKind.CHOICE, Stage.OFFER, text, echo=True)
        return turn.outcome(Verdict.GRANTED, message, token=token)
