"""The login's state machine: begin, answer, outcome.

MUST 1: what grants is in `second_step.py`; every path here ends in a question or a denial.
MUST 2: *unavailable* is said only for an outage, *refused* only for what a person showed.
MUST 3: a negative answer leaves no earlier than 250 ms after its call came in, with jitter, for any cause.
MUST 4: whether a name is known shows in no answer before the password was right.
MUST 5: every outcome has its audit row; an outage of the store is in the log at least.
MUST 6: a PAM service lets in whom it asked about by that very name, or nobody: it opens the session of the
        name that was typed, which may be another person's there (PAM-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.errors import Locked, Refused, Restricted, Unavailable
from nightlatch.login import words
from nightlatch.login.answers import read_password
from nightlatch.login.facts import until_facts
from nightlatch.login.password import PasswordCheck
from nightlatch.login.requirement import PAM, client_of
from nightlatch.login.second_step import SecondStep
from nightlatch.login.step import LoginRequest, Outcome, Primary, PromptKind, Step, Verdict
from nightlatch.login.ticket import LIFETIME, LoginState, Stage
from nightlatch.login.turn import Turn
from nightlatch.model import Result
from nightlatch.policy.conditions import exact_address
from nightlatch.watching import Activity, Ending, Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nightlatch.login.onboarding import Onboarding
    from nightlatch.login.parts import Parts
    from nightlatch.model import Account


BY_ANOTHER_NAME = "a PAM service asked by another name"
"""How the reason of such a refusal begins."""


class LoginEngine:
    """Carries logins. Keeps none of them: their state is in their tickets."""

    def __init__(self, parts: Parts, onboarding: Onboarding) -> None:
        self._parts = parts
        self._password = PasswordCheck(parts)
        self._second = SecondStep(parts, onboarding)

    async def begin(self, caller: str, request: LoginRequest) -> Step:
        """The first step of a login."""
        state = LoginState(
            login_id=self._parts.randomness.bytes(16).hex(),
            stage=Stage.PASSWORD,
            user=request.user,
            service=request.service,
            source=request.source or _place(request.terminal),
            expires_at=self._parts.clock.now() + LIFETIME,
            evidence=request.evidence,
            keeps_token=request.keeps_token,
            draws_qr=request.draws_qr,
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
            Stage.CHOICE: self._second.take_choice,
            Stage.LAST_RESORT: self._second.take_last_resort,
            Stage.FACTOR: self._second.take_proof,
            Stage.OFFER: self._second.take_offer,
            Stage.ONBOARDING: self._second.take_onboarding,
        }[state.stage]
        return await self._finish(Turn(self._parts, caller, state), take, answer)

    async def _finish(
        self, turn: Turn, take: Callable[[Turn, bytes], Awaitable[Step]], answer: bytes
    ) -> Step:
        """Take an answer, and turn what stopped it into the outcome that says so."""
        stage = turn.state.stage.value
        with self._parts.watcher.during(Activity.STEP, stage) as timing:
            step, cause = await self._settled(turn, take, answer)
            if isinstance(step, Outcome):
                timing.result = step.verdict.value
                self._tell(turn, step, cause)
            else:
                timing.result = type(step).__name__.lower()
        return step

    async def _settled(
        self, turn: Turn, take: Callable[[Turn, bytes], Awaitable[Step]], answer: bytes
    ) -> tuple[Step, str]:
        """The step, and what a negative outcome comes from."""
        try:
            return await take(turn, answer), ""
        except Refused as error:
            cause = "restricted" if isinstance(error, Restricted) else _asked(turn)
            await turn.record(Result.REFUSED, error.reason, turn.facts)
            told = error.words if isinstance(error, Restricted) else words.REFUSED
            step = turn.outcome(Verdict.REFUSED, told)
        except Locked as error:
            cause = _asked(turn)
            self._parts.watcher.blocked(cause)
            facts = until_facts(error.retry_after, self._parts.clock.now())
            await turn.record(Result.LOCKED, error.reason, facts)
            told = error.words or words.locked(error.retry_after)
            step = turn.outcome(Verdict.LOCKED, told, error.retry_after)
        except Unavailable as error:
            cause = error.part.partition(" ")[0]
            await turn.record(Result.UNAVAILABLE, str(error))
            step = turn.outcome(Verdict.UNAVAILABLE, words.unavailable(turn.state.reference))
        await turn.hold()
        return step, cause

    def _tell(self, turn: Turn, step: Outcome, cause: str) -> None:
        """Let the watcher know how the login ended."""
        if not cause and step.verdict is not Verdict.GRANTED:
            cause = "messages" if step.verdict is Verdict.LOCKED else "factor"
        factor = step.factor or turn.factor
        ending = Ending(Kind.LOGIN, step.verdict.value, cause, factor, turn.state.service)
        self._parts.watcher.ended(ending)

    async def _take_established(self, turn: Turn, _answer: bytes) -> Step:
        """The caller has proven the first factor: find the person."""
        account = await self._parts.accounts.find(turn.state.user)
        if account is None:
            raise Refused("no directory knows the name")
        turn.found(account)
        _require_own_name(turn, account)
        return await self._second.begin(turn)

    async def _take_password(self, turn: Turn, answer: bytes) -> Step:
        password = read_password(answer)
        account = await self._parts.accounts.find(turn.state.user)
        if account is not None:
            turn.found(account)
        await self._password.check(turn, account, password)
        _require_own_name(turn, turn.account())
        return await self._second.begin(turn)


def _place(terminal: str) -> str:
    """A terminal, where no address is known. One that is called like an address is none (POL-04)."""
    return f"terminal {terminal}" if exact_address(terminal) is not None else terminal


def _require_own_name(turn: Turn, account: Account) -> None:
    """Raise Restricted, behind the first factor, where a PAM service asked by another name (MUST 6)."""
    if client_of(turn.caller) == PAM and turn.state.user != account.name:
        reason = f"{BY_ANOTHER_NAME}; the person's own is {account.name}"
        raise Restricted(reason, words.own_name(account.name))


def _asked(turn: Turn) -> str:
    """Which of the two factors a login had come to."""
    return "factor" if turn.second else "password"
