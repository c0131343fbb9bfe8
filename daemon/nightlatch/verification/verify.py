"""Verifies codes and devices for applications, and sends codes.

MUST 1: the application has checked the first factor; that it may call at all is its certificate's right.
MUST 2: a negative answer leaves no earlier than 250 ms after its call came in, and says no more than the
        caller may know.
MUST 3: the ticket of a sent code is good for this caller, this person and one answer.
MUST 4: to a caller that may not know who has what, people who have nothing, and names that nobody has, look
        like people who have something: answers, counting and tickets are theirs (API-02).
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.channel import NotSent
from nightlatch.errors import Invalid, Locked, NotFound, Unavailable
from nightlatch.login.answers import read_code
from nightlatch.login.requirement import client_of
from nightlatch.login.second_factor import SecondFactor
from nightlatch.login.ticket import LIFETIME, LoginState, Stage, TicketError
from nightlatch.login.trial import Proof
from nightlatch.login.turn import Turn
from nightlatch.model import DecisionRequest, Result
from nightlatch.sending import TooManyMessages
from nightlatch.verification.answers import Answer, Sent, Verification, VerificationRequest, Verified
from nightlatch.verification.behind import SendingBehind
from nightlatch.verification.trial import CodeTrial, NothingCounts
from nightlatch.watching import Ending, Kind

if TYPE_CHECKING:
    from nightlatch.login.parts import Parts
    from nightlatch.login.receipt import Receipts
    from nightlatch.login.ticket import Tickets
    from nightlatch.model import Account, Credential

CODE_PROMPT = "Code: "
MAX_TRIES = 3
"""Wrong answers to one sent code, after which it is dead."""
NO_CREDENTIAL = "none"
"""What a ticket names where nothing was sent; no credential is called so."""
TICKET_STEP = 4096
"""Bytes: what the ticket of a sent code has in it fits once."""
NOTHING_TO_SEND = "Nobody of that name can be sent a code by that factor here."


class Verifications:
    """Verifies for applications."""

    def __init__(self, parts: Parts, tickets: Tickets, receipts: Receipts) -> None:
        self._parts = parts
        self._tickets = tickets
        self._receipts = receipts
        self._second = SecondFactor(parts)
        self._behind = SendingBehind(parts)

    async def close(self) -> None:
        """Wait for the messages under way, for a bounded time."""
        await self._behind.close()

    async def code(
        self,
        caller: str,
        request: VerificationRequest,
        code: bytes,
        ticket: bytes = b"",
        *,
        receipt: bool = False,
    ) -> Answer:
        """Check a code; raises Conflict, TicketError, Unavailable."""
        turn = self._begin(caller, request)
        if ticket:
            turn.state = self._opened(ticket, caller, request)
        fingerprint = self._fingerprint(caller, request, code, ticket) if request.request_id else ""
        key = turn.state.ticket_id or f"request/{caller}/{request.request_id}"
        account = turn.state.account or await self._parts.accounts.find(request.user)
        if account is not None:
            turn.found(account)
        elif request.may_know:
            return await self._refuse(
                turn, request, Verified(Verification.NOT_ENROLLED, "no directory knows the name")
            )
        trial = CodeTrial(
            self._parts,
            frozenset() if account is None else (await self._second.requirement(turn)).factors,
            read_code(code),
            "" if account is None else limits.factor_scope(account.id),
            turn.event("verification.code", Result.REFUSED, ""),
            fingerprint,
            turn.state.credential_id,
            turn.state.memo,
            hides=not request.may_know,
        )
        verified = await self._judged(trial, account, key if fingerprint or ticket else "")
        if verified.revoked is not None:
            self._second.tell_revoked(turn, verified.revoked)
        self._parts.watcher.proof(verified.factor, verified.verification.value)
        return await self._answer(turn, request, verified, receipt=receipt)

    async def _judged(self, trial: CodeTrial, account: Account | None, spend_key: str) -> Verified:
        """What a code is worth; without an account, and where nothing counts, as if somebody had mistyped."""
        if account is not None:
            decision = DecisionRequest((trial.scope,), account.id, account, spend_key=spend_key)
            with contextlib.suppress(NothingCounts):
                return await self._parts.store.decide(decision, trial)
        trial = trial.of_nobody()
        return await self._parts.store.decide(DecisionRequest((trial.scope,), spend_key=spend_key), trial)

    async def send(
        self, caller: str, request: VerificationRequest, factor: str, credential_id: str = ""
    ) -> Sent:
        """Send a code; raises Locked, Unavailable, and NotFound to callers that may know.

        To the others the message is sent behind the answer, which is the same for everybody.
        """
        turn = self._begin(caller, request)
        if not request.may_know:
            await self._behind.charge(turn)
        account = await self._parts.accounts.find(request.user)
        credential = None
        if account is not None:
            turn.found(account)
            usable = await self._second.usable(turn)
            credential = next((one for one in usable if self._can_send(one, factor, credential_id)), None)
        if credential is None:
            await turn.record(Result.REFUSED, f"nothing to send a code to by {factor[:32]}")
        if not request.may_know:
            return await self._send_behind(turn, credential)
        if credential is None:
            await turn.hold()
            raise NotFound(NOTHING_TO_SEND)
        try:
            challenge = await self._second.challenge(turn, credential, dialogue=False)
        except TooManyMessages as error:
            raise Locked(error.reason, error.retry_after) from None
        except NotSent as error:
            raise Unavailable(f"factor {factor}", error.reason) from None
        turn.state = replace(turn.state, credential_id=credential.id, memo=challenge.memo)
        return Sent(self._seal(turn), f"{challenge.prompt}: ")

    async def _send_behind(self, turn: Turn, credential: Credential | None) -> Sent:
        """The one answer of SendCode to a caller that may not know."""
        turn.state = replace(turn.state, credential_id=NO_CREDENTIAL)
        if credential is not None:
            try:
                challenge = await self._second.challenge(
                    turn, credential, sender=self._behind, dialogue=False
                )
            except (NotSent, Locked, Unavailable) as error:
                await turn.record(Result.UNAVAILABLE, f"message not sent: {error.reason}")
            else:
                turn.state = replace(turn.state, credential_id=credential.id, memo=challenge.memo)
        await turn.hold()
        return Sent(self._seal(turn), CODE_PROMPT)

    async def device(self, caller: str, request: VerificationRequest, *, receipt: bool = False) -> Answer:
        """Whether the evidence belongs to a trusted device; raises Unavailable."""
        turn = self._begin(caller, request)
        account = await self._parts.accounts.find(request.user)
        if account is None:
            return await self._refuse(
                turn, request, Verified(Verification.WRONG, "no directory knows the name")
            )
        turn.found(account)
        requirement = await self._second.requirement(turn)
        judgement = await self._second.check_evidence(turn, requirement)
        if judgement.proof is not Proof.ACCEPTED or judgement.credential is None:
            return await self._refuse(turn, request, Verified(Verification.WRONG, judgement.reason))
        credential = judgement.credential
        verified = Verified(
            Verification.VERIFIED,
            judgement.reason,
            credential.factor,
            credential.id,
            device_token=judgement.token,
        )
        return await self._answer(turn, request, verified, receipt=receipt)

    def _begin(self, caller: str, request: VerificationRequest) -> Turn:
        state = LoginState(
            login_id=self._parts.randomness.bytes(16).hex(),
            stage=Stage.FACTOR,
            user=request.user,
            service=request.service,
            source=request.source,
            expires_at=self._parts.clock.now() + LIFETIME,
            evidence=request.evidence,
        )
        return Turn(self._parts, caller, state)

    def _opened(self, ticket: bytes, caller: str, request: VerificationRequest) -> LoginState:
        state = self._tickets.open(ticket, caller, self._parts.clock.now())
        if (state.user, state.service) != (request.user, request.service):
            raise TicketError("The ticket is for another person or another service.")
        return state

    def _can_send(self, credential: Credential, factor: str, credential_id: str) -> bool:
        plugin = self._second.plugin(credential)
        fits = credential.factor == factor and plugin.medium is not None and not plugin.last_resort
        return fits and credential_id in {"", credential.id}

    def _fingerprint(self, caller: str, request: VerificationRequest, code: bytes, ticket: bytes) -> str:
        """The whole request under a keyed hash: the store holds no code."""
        if len(code) > 256:  # noqa: PLR2004 - characters of a code, as in the API
            raise Invalid("code must have at most 256 characters")
        fields = (caller, request.user, request.service, request.request_id)
        text = b"\0".join((*(field.encode() for field in fields), code, ticket))
        # Keyed BLAKE2b (RFC 7693) is a pseudo-random function in one call, see `nightlatch.keys`.
        return blake2b(text, digest_size=16, key=self._parts.name_key).hexdigest()

    async def _answer(
        self, turn: Turn, request: VerificationRequest, verified: Verified, *, receipt: bool
    ) -> Answer:
        if verified.verification is not Verification.VERIFIED:
            return await self._refuse(turn, request, verified)
        turn.log(Result.GRANTED, verified.reason)
        self._tell(turn, verified)
        account = turn.account()
        told = (
            self._parts.factors[verified.factor].plugin.told if verified.factor in self._parts.factors else ""
        )
        if told and not verified.repeated:
            event = replace(turn.event("message.send", Result.PASSED, ""), factor=verified.factor)
            self._parts.notices.tell(told, replace(event, credential_id=verified.credential_id))
        signed = ""
        if receipt:
            audience = client_of(turn.caller)
            signed = self._receipts.issue(account, audience, request.service, verified.factor)
        return Answer(verified, turn.state.reference, account.name, signed)

    async def _refuse(self, turn: Turn, request: VerificationRequest, verified: Verified) -> Answer:
        """Log, wait as every negative answer does, and say no more than the caller may know."""
        result = Result.LOCKED if verified.verification is Verification.LOCKED else Result.REFUSED
        turn.log(result, verified.reason)
        self._tell(turn, verified)
        await turn.hold()
        if verified.verification is Verification.NOT_ENROLLED and not request.may_know:
            verified = replace(verified, verification=Verification.WRONG)
        return Answer(verified, turn.state.reference, ticket=self._next_ticket(turn, verified))

    def _next_ticket(self, turn: Turn, verified: Verified) -> bytes:
        """What the same sent code may be answered with once more; empty after the last try."""
        state = turn.state
        wrong = verified.verification is Verification.WRONG
        if not wrong or not state.ticket_id or state.tries + 1 >= MAX_TRIES:
            return b""
        turn.state = replace(state, tries=state.tries + 1)
        return self._seal(turn)

    def _seal(self, turn: Turn) -> bytes:
        """A ticket whose length does not tell what is in it."""
        return self._tickets.seal(turn.state, turn.caller, step=TICKET_STEP)

    def _tell(self, turn: Turn, verified: Verified) -> None:
        """Let the watcher know how the verification ended."""
        if verified.verification is Verification.LOCKED:
            self._parts.watcher.blocked("factor")
        outcome, factor = verified.verification.value, verified.factor or turn.factor
        self._parts.watcher.ended(Ending(Kind.VERIFICATION, outcome, "", factor, turn.state.service))
