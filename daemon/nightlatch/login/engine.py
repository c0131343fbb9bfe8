"""The login's state machine: begin, answer, outcome.

MUST 1: every path that is not `_grant` ends in a question or a denial.
MUST 2: *unavailable* is said only for an outage, *refused* only for what a person showed.
MUST 3: a negative answer leaves no earlier than 250 ms after its call came in, with jitter, for any cause.
MUST 4: whether a name is known shows in no answer before the password was right.
MUST 5: every outcome has its audit row; an outage of the store is in the log at least.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.errors import Locked, Refused, Unavailable
from nightlatch.login import words
from nightlatch.login.answers import read_choice, read_code, read_password
from nightlatch.login.password import PasswordCheck
from nightlatch.login.second_factor import SecondFactor
from nightlatch.login.step import LoginRequest, Primary, PromptKind, Step, Verdict
from nightlatch.login.ticket import LIFETIME, LoginState, Stage, TicketError
from nightlatch.login.trial import Proof
from nightlatch.login.turn import Turn
from nightlatch.model import Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nightlatch.login.parts import Parts
    from nightlatch.model import Credential

MAX_TRIES = 3
"""Wrong codes after which a login ends, and the person has to begin another."""
PENDING_SECONDS = 2
OTHER_WAY = "?"


class LoginEngine:
    """Carries logins. Keeps none of them: their state is in their tickets."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._password = PasswordCheck(parts)
        self._second = SecondFactor(parts)

    async def begin(self, caller: str, request: LoginRequest) -> Step:
        """The first step of a login."""
        state = LoginState(
            login_id=self._parts.randomness.bytes(16).hex(),
            stage=Stage.PASSWORD,
            user=request.user,
            service=request.service,
            source=request.source or request.terminal,
            expires_at=self._parts.clock.now() + LIFETIME,
        )
        turn = Turn(self._parts, caller, state)
        if request.primary is Primary.PASSWORD:
            return turn.ask(PromptKind.PASSWORD, Stage.PASSWORD, words.PASSWORD_PROMPT, echo=False)
        return await self._finish(turn, self._take_established, b"")

    async def answer(self, caller: str, ticket: bytes, answer: bytes) -> Step:
        """The step after an answer; raises TicketError."""
        state = self._parts.tickets.open(ticket, caller, self._parts.clock.now())
        take = {
            Stage.PASSWORD: self._take_password,
            Stage.CHOICE: self._take_choice,
            Stage.FACTOR: self._take_proof,
        }[state.stage]
        return await self._finish(Turn(self._parts, caller, state), take, answer)

    async def _finish(
        self, turn: Turn, take: Callable[[Turn, bytes], Awaitable[Step]], answer: bytes
    ) -> Step:
        """Take an answer, and turn what stopped it into the outcome that says so."""
        try:
            return await take(turn, answer)
        except Refused as error:
            await turn.record(Result.REFUSED, error.reason)
            step = turn.outcome(Verdict.REFUSED, words.REFUSED)
        except Locked as error:
            await turn.record(Result.LOCKED, error.reason)
            step = turn.outcome(Verdict.LOCKED, words.locked(error.retry_after), error.retry_after)
        except Unavailable as error:
            await turn.record(Result.UNAVAILABLE, str(error))
            step = turn.outcome(Verdict.UNAVAILABLE, words.unavailable(turn.state.reference))
        await turn.hold()
        return step

    async def _take_established(self, turn: Turn, _answer: bytes) -> Step:
        """The caller has proven the first factor: find the person."""
        account = await self._parts.accounts.find(turn.state.user)
        if account is None:
            raise Refused("no directory knows the name")
        turn.found(account)
        return await self._ask_second(turn)

    async def _take_password(self, turn: Turn, answer: bytes) -> Step:
        password = read_password(answer)
        account = await self._parts.accounts.find(turn.state.user)
        if account is not None:
            turn.found(account)
        await self._password.check(turn, account, password)
        return await self._ask_second(turn)

    async def _ask_second(self, turn: Turn) -> Step:
        """The first factor was right. Everyone passes here, and policy lets nobody round it."""
        usable = await self._second.usable(turn.state, turn.account())
        if not usable:
            await turn.record(Result.REFUSED, "no credential that policy lets count")
            await turn.hold()
            return turn.outcome(Verdict.REFUSED, words.NO_CREDENTIAL)
        return await self._ask(turn, usable[0], others=len(usable) > 1)

    async def _ask(self, turn: Turn, credential: Credential, *, others: bool, before: str = "") -> Step:
        challenge = await self._second.challenge(turn.account(), credential)
        text = words.question(challenge.prompt or "", credential.label, others=others, before=before)
        tries = turn.state.tries + (1 if before else 0)
        return turn.ask_code(credential, challenge, text, tries)

    async def _take_choice(self, turn: Turn, answer: bytes) -> Step:
        usable = await self._second.usable(turn.state, turn.account())
        chosen = read_choice(answer, len(usable))
        if chosen is None:
            return self._ask_choice(turn, usable, words.NO_SUCH_NUMBER)
        return await self._ask(turn, usable[chosen], others=len(usable) > 1)

    def _ask_choice(self, turn: Turn, usable: tuple[Credential, ...], before: str = "") -> Step:
        text = words.choices([self._second.title(one) for one in usable], before)
        return turn.ask(PromptKind.CHOICE, Stage.CHOICE, text, echo=True)

    async def _take_proof(self, turn: Turn, answer: bytes) -> Step:
        code = read_code(answer)
        if code.reveal().strip() == OTHER_WAY:
            usable = await self._second.usable(turn.state, turn.account())
            if len(usable) > 1:
                return self._ask_choice(turn, usable)
        judgement = await self._second.check(turn, code)
        if judgement.proof is Proof.ACCEPTED:
            return self._grant(turn, judgement.reason)
        if judgement.proof is Proof.PENDING:
            return turn.wait(words.PENDING, PENDING_SECONDS)
        turn.log(Result.REFUSED, judgement.reason)
        await turn.hold()
        if judgement.proof is Proof.SPENT:
            raise TicketError("this login was granted before; begin a new one")
        return await self._again(turn)

    async def _again(self, turn: Turn) -> Step:
        """After a wrong code: the same question again, or the end of this login."""
        usable = await self._second.usable(turn.state, turn.account())
        credential = next((one for one in usable if one.id == turn.state.credential_id), None)
        if credential is None or turn.state.tries + 1 >= MAX_TRIES:
            return turn.outcome(Verdict.REFUSED, words.WRONG_CODE)
        return await self._ask(turn, credential, others=len(usable) > 1, before=words.WRONG_CODE)

    def _grant(self, turn: Turn, reason: str) -> Step:
        """The one path that grants: the store has committed an accepted proof of this login."""
        turn.log(Result.GRANTED, reason)
        return turn.outcome(Verdict.GRANTED, "")
