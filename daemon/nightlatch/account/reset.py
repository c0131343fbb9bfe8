"""A forgotten password: a code to the security email, then a second factor, then the new password.

MUST 1: the first answer is the same, after the same time, for everybody (IDN, REC).
MUST 2: the code from the mail is one proof, and something that is not mailed is the other (REC): no code that
        goes to a mailbox counts, nor a device.
MUST 3: a password is set by a ticket that both have led to, and once.
MUST 4: a negative answer leaves no earlier than those of a login.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.account.passwords import new_password
from nightlatch.account.reset_ticket import (
    CODE_SECONDS,
    OVER,
    PASSWORD_SECONDS,
    ResetStage,
    ResetState,
    ResetTickets,
)
from nightlatch.enrollment.asking import change
from nightlatch.errors import Conflict, Invalid, Locked, PasswordNotTaken, Unavailable
from nightlatch.login import words
from nightlatch.login.answers import read_code
from nightlatch.login.step import MAX_NAME, Outcome, Prompt, PromptKind, Verdict, plain_text
from nightlatch.login.ticket import TicketError
from nightlatch.login.turn import JITTER_SECONDS, NEGATIVE_SECONDS
from nightlatch.model import Changes, DecisionRequest

if TYPE_CHECKING:
    from nightlatch.account.passwords import Passwords
    from nightlatch.account.proving import Proving
    from nightlatch.account.reset_code import ResetCodes
    from nightlatch.keys import Sealer
    from nightlatch.login.parts import Parts
    from nightlatch.login.step import Step, Wait
    from nightlatch.model import Account, Snapshot

ASK_CODE = (
    "If there is such an account, and it has a security email, a code is on its way there. "
    "It is valid for 30 minutes.\nCode from the mail: "
)
WRONG_CODE = "That code was not right."
NOT_HERE = "Forgotten passwords are not set anew here. Ask your administrator."
NEW = "New password: "
DONE = "Your password is set. Sign in with it."
MAX_TRIES = 5


class Resets:
    """Carries resets. Keeps none of them: their state is in their tickets."""

    def __init__(
        self, parts: Parts, sealer: Sealer, codes: ResetCodes, proving: Proving, passwords: Passwords
    ) -> None:
        self._parts = parts
        self._tickets = ResetTickets(sealer)
        self._codes = codes
        self._proving = proving
        self._passwords = passwords

    async def begin(self, caller: str, user: str, source: str) -> Step:
        """The question for the code; raises Invalid, and Conflict where no directory sets passwords anew."""
        plain_text("user", user, 1, MAX_NAME)
        if not any(directory.resets_passwords for directory in self._parts.accounts):
            raise Conflict(NOT_HERE)
        came_in = self._parts.clock.steady()
        self._codes.send_later(caller, user, source)
        end = self._parts.clock.now() + CODE_SECONDS
        state = ResetState(self._new_id(), ResetStage.CODE, user, source, end)
        await self._hold(came_in)
        return self._ask(state, caller, PromptKind.CODE, ASK_CODE, echo=True)

    async def answer(self, caller: str, ticket: bytes, answer: bytes) -> Step:
        """The next step; raises TicketError, Conflict, Unavailable."""
        came_in = self._parts.clock.steady()
        state = self._tickets.open(ticket, caller, self._parts.clock.now())
        take = {
            ResetStage.CODE: self._take_code,
            ResetStage.PROOF: self._take_proof,
            ResetStage.PASSWORD: self._take_password,
        }[state.stage]
        step: Step
        try:
            return await take(state, caller, answer)
        except Locked as error:
            step = _over(state, Verdict.LOCKED, words.locked(error.retry_after), error.retry_after)
        except Unavailable as error:
            self._parts.log.warning("reset.unavailable", ref=_reference(state), reason=str(error))
            step = _over(state, Verdict.UNAVAILABLE, words.unavailable(_reference(state)))
        except _Wrong:
            step = self._again(state, caller)
        await self._hold(came_in)
        return step

    async def close(self) -> None:
        """Wait for the codes under way, for a bounded time."""
        await self._codes.close()

    async def _take_code(self, state: ResetState, caller: str, answer: bytes) -> Step:
        account = await self._codes.take(caller, state.user, state.source, read_code(answer).reveal())
        if account is None:
            raise _Wrong
        step = await self._proving.begin(_bound(caller), account, state.source)
        return self._wrap(replace(state, account=account, tries=0), caller, step)

    async def _take_proof(self, state: ResetState, caller: str, answer: bytes) -> Step:
        account = _account(state)
        step = await self._proving.answer(_bound(caller), account, state.inner, answer)
        if not isinstance(step, Outcome) or step.verdict is not Verdict.GRANTED:
            return self._wrap(state, caller, step)
        end = self._parts.clock.now() + PASSWORD_SECONDS
        state = replace(state, id=self._new_id(), stage=ResetStage.PASSWORD, inner=b"", expires_at=end)
        return self._ask(state, caller, PromptKind.PASSWORD, NEW, echo=False)

    async def _take_password(self, state: ResetState, caller: str, answer: bytes) -> Step:
        account = await self._present(state)
        try:
            new = new_password(answer)
            await self._spend(state)
            await self._parts.accounts.change_password(account, None, new)
        except (Invalid, PasswordNotTaken) as error:
            if isinstance(error, TicketError):
                raise
            return self._ask_password_again(state, caller, str(error))
        event = replace(change("password.reset", account, caller), source=state.source)
        await self._passwords.changed(account, event, None)
        return Outcome(Verdict.GRANTED, DONE, _reference(state), account.name)

    async def _present(self, state: ResetState) -> Account:
        """The account as the directory has it now; raises TicketError where it is another, or kept out."""
        found = await self._parts.accounts.find(_account(state).name)
        if found is None or found.id != _account(state).id:
            raise TicketError(OVER)
        if (await self._parts.store.standing(found.id)).disabled_at is not None:
            raise TicketError(OVER)
        return found

    async def _spend(self, state: ResetState) -> None:
        def body(snapshot: Snapshot) -> tuple[Changes, bool]:
            return Changes(spend=not snapshot.spent), snapshot.spent

        if await self._parts.store.decide(DecisionRequest(spend_key=f"reset/{state.id}"), body):
            raise TicketError(OVER)

    def _again(self, state: ResetState, caller: str) -> Step:
        if state.tries + 1 >= MAX_TRIES:
            return _over(state, Verdict.REFUSED, WRONG_CODE)
        again = replace(state, tries=state.tries + 1)
        return self._ask(again, caller, PromptKind.CODE, f"{WRONG_CODE}\nCode from the mail: ", echo=True)

    def _ask_password_again(self, state: ResetState, caller: str, why: str) -> Step:
        if state.tries + 1 >= MAX_TRIES:
            return _over(state, Verdict.REFUSED, why)
        again = replace(state, id=self._new_id(), tries=state.tries + 1)
        return self._ask(again, caller, PromptKind.PASSWORD, f"{why}\n{NEW}", echo=False)

    def _wrap(self, state: ResetState, caller: str, step: Prompt | Wait | Outcome) -> Step:
        """A step of the second factor's, under a ticket of the reset."""
        if isinstance(step, Outcome):
            return step
        inner = replace(state, stage=ResetStage.PROOF, inner=step.ticket)
        return replace(step, ticket=self._tickets.seal(inner, caller))

    def _ask(self, state: ResetState, caller: str, kind: PromptKind, text: str, *, echo: bool) -> Prompt:
        return Prompt(kind, text, echo, self._tickets.seal(state, caller))

    def _new_id(self) -> str:
        return self._parts.randomness.bytes(16).hex()

    async def _hold(self, came_in: float) -> None:
        jitter = int.from_bytes(self._parts.randomness.bytes(2)) / 65536 * JITTER_SECONDS
        left = came_in + NEGATIVE_SECONDS + jitter - self._parts.clock.steady()
        if left > 0:
            await self._parts.clock.sleep(left)


class _Wrong(Exception):
    """The code from the mail was not right."""


def _account(state: ResetState) -> Account:
    assert state.account is not None  # set before this stage
    return state.account


def _bound(caller: str) -> str:
    """Whom the second step's tickets are bound to: they are good inside a reset alone."""
    return f"{caller} reset"


def _reference(state: ResetState) -> str:
    return f"{state.id[:4]}-{state.id[4:8]}"


def _over(state: ResetState, verdict: Verdict, message: str, retry_after: float = 0.0) -> Outcome:
    return Outcome(verdict, message, _reference(state), retry_after=retry_after)
