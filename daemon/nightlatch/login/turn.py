"""One call of a login: from what came in to what goes out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable
from nightlatch.login.step import Grant, Outcome, Prompt, PromptKind, Verdict, Wait
from nightlatch.login.ticket import LIFETIME, Stage, TicketError
from nightlatch.login.unknown import unknown_id
from nightlatch.model import AuditEvent, Changes, DecisionRequest, Result

if TYPE_CHECKING:
    from nightlatch.factor import Challenge
    from nightlatch.login.parts import Parts
    from nightlatch.login.ticket import LoginState
    from nightlatch.model import Account, Credential, Snapshot
    from nightlatch.policy.model import Requirement

NEGATIVE_SECONDS = 0.250
JITTER_SECONDS = 0.050
ANSWERED = "this question was answered before; begin a new login"


class Turn:
    """The state of one call, who makes it and when it came in. Lives as long as the call."""

    def __init__(self, parts: Parts, caller: str, state: LoginState) -> None:
        self._parts = parts
        self._came_in = parts.clock.steady()
        self.caller = caller
        self.state = state
        self.requirement: Requirement | None = None
        """What policy demands, once somebody has asked it in this call."""
        self.facts = ""
        """What the audit shall have beside the reason of a refusal."""
        self.recorded = False
        """Whether the audit has the outcome already."""
        self.second = state.stage is not Stage.PASSWORD
        """Whether the first factor was right: what is recorded from there on is about the second."""
        self.factor = ""
        """Whose proof was looked at in this call."""
        parts.watcher.about(state.reference)

    def found(self, account: Account) -> None:
        """The directory has named the person: from here on, the audit names them too."""
        self.state = replace(self.state, account=account)
        self.requirement = None

    def account(self) -> Account:
        """The person, once found."""
        assert self.state.account is not None  # only the stages after the first factor ask for it
        return self.state.account

    def event(self, name: str, result: Result, reason: str) -> AuditEvent:
        """An audit row of this login. A name that no directory has told is in it under a keyed hash."""
        account = self.state.account
        return AuditEvent(
            event=name,
            result=result,
            reason=reason,
            reference=self.state.reference,
            account_id=account.id if account else unknown_id(self._parts.name_key, self.state.user),
            user=account.name if account else "",
            service=self.state.service,
            source=self.state.source,
            caller=self.caller,
            language=account.contact.language if account else "",
        )

    def event_for(self, credential: Credential) -> AuditEvent:
        """The audit row of something that concerns one credential."""
        event = self.event("message.send", Result.PASSED, "")
        return replace(event, factor=credential.factor, credential_id=credential.id)

    async def record(self, result: Result, reason: str, facts: str = "") -> None:
        """Write an outcome to the log and the audit. A store that is away can not stop the answer."""
        self.log(result, reason)
        if self.recorded:
            return
        stage = "factor" if self.second else "password"
        try:
            event = replace(self.event(f"login.{stage}", result, reason), facts=facts)
            await self._parts.store.record(event)
        except Unavailable as error:
            self._parts.log.error("audit.unavailable", ref=self.state.reference, reason=str(error))

    def log(self, result: Result, reason: str) -> None:
        """Log how the login ended. A name that no directory knows is not in it."""
        account = self.state.account
        self._parts.log.info(
            "login.ended",
            result=result.value,
            reason=reason or None,
            ref=self.state.reference,
            account=account.id if account else None,
            service=self.state.service,
            source=self.state.source,
            caller=self.caller,
        )

    async def hold(self) -> None:
        """Wait until a negative answer may leave."""
        jitter = int.from_bytes(self._parts.randomness.bytes(2)) / 65536 * JITTER_SECONDS
        left = self._came_in + NEGATIVE_SECONDS + jitter - self._parts.clock.steady()
        if left > 0:
            await self._parts.clock.sleep(left)

    async def spend(self) -> None:
        """Spend the ticket of an answer that no proof decides on; raises TicketError when it was answered."""

        def body(snapshot: Snapshot) -> tuple[Changes, bool]:
            return Changes(spend=not snapshot.spent), snapshot.spent

        if await self._parts.store.decide(DecisionRequest(spend_key=self.spend_key), body):
            raise TicketError(ANSWERED)

    @property
    def spend_key(self) -> str:
        """What the answer of this call spends: its ticket, or the login where there is no ticket yet."""
        return self.state.ticket_id or self.state.login_id

    def ask_code(self, credential: Credential, challenge: Challenge, prompt: str, before: str = "") -> Prompt:
        """A prompt for a credential's proof; `before` is said this once."""
        self.state = replace(
            self.state,
            stage=Stage.FACTOR,
            credential_id=credential.id,
            memo=challenge.memo,
            prompt=prompt,
            echo=challenge.echo,
        )
        return Prompt(PromptKind.CODE, f"{before}{prompt}", challenge.echo, self._seal())

    def ask_again(self, before: str) -> Prompt:
        """The same question after a wrong answer: nothing is sent anew."""
        self.state = replace(self.state, tries=self.state.tries + 1)
        return Prompt(PromptKind.CODE, f"{before} {self.state.prompt}", self.state.echo, self._seal())

    def give_time(self) -> None:
        """Let the next ticket live as long as a new login's: for questions that take a person longer."""
        self.state = replace(self.state, expires_at=self._parts.clock.now() + LIFETIME)

    def ask(
        self, kind: PromptKind, stage: Stage, text: str, *, echo: bool, credential_id: str = ""
    ) -> Prompt:
        """A prompt that no proof answers."""
        if credential_id and credential_id != self.state.credential_id:
            # What another credential's challenge has left is not this one's to use.
            self.state = replace(self.state, credential_id=credential_id, memo=b"")
        self.state = replace(self.state, stage=stage)
        return Prompt(kind, text, echo, self._seal())

    def wait(self, text: str, seconds: int) -> Wait:
        """A pause in front of the same stage."""
        return Wait(text, seconds, self._seal())

    def outcome(self, verdict: Verdict, message: str, retry_after: float = 0.0, token: str = "") -> Outcome:
        """The end of the login; only a grant names the account."""
        account, reference = self.state.account, self.state.reference
        if verdict is not Verdict.GRANTED or account is None:
            return Outcome(verdict, message, reference, retry_after=retry_after)
        shown = self.state.credential_id if self.state.factor else ""
        grant = Grant(account, self.state.service, self.state.source, shown)
        return Outcome(
            verdict, message, reference, account.name, 0.0, token, factor=self.state.factor, grant=grant
        )

    def _seal(self) -> bytes:
        return self._parts.tickets.seal(self.state, self.caller)
