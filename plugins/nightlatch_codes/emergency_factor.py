"""The factor `emergency`: one long code to the security email, for people who have nothing else at hand.

MUST 1: one path accepts, and it returns a state without the code.
MUST 2: one code is on its way at most: another message kills the older code.
MUST 3: the code may be typed into a later login, since fetching mail takes longer than a login lasts. So it
        is kept in the credential's state, never in a ticket, and coming back does not send again.
MUST 4: after its time, or ten wrong answers, the code is dead.
MUST 5: nothing is sent to an address but the one that was proven (OOB-05).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import nightlatch_base32 as base32
from nightlatch.factor import Challenge, Decision, Enrollment, NotSent, Verdict
from nightlatch_codes import issued, mailboxes, words
from nightlatch_codes.emergency_state import EmergencyState, decode
from nightlatch_codes.issued import KEY_BYTES

if TYPE_CHECKING:
    from nightlatch.factor import Context, EnrollmentRequest, SendingContext, Subject
    from nightlatch_codes.issued import Issued
    from nightlatch_codes.settings import EmergencySettings

TEMPLATE = "emergency_code"
CODE_LETTERS = 12
"""60 bits: for half an hour, and within the daemon's limits on guessing, out of reach."""
WORTH_WAITING_SECONDS = 300
"""A code with less time than this is not waited for: another one is sent."""
_MEMO = b"\x01"
"""Says that this login has asked before; a person who asks again then wants another message."""


class EmergencyFactor:
    """Codes for people who can not use anything else."""

    def __init__(self, settings: EmergencySettings) -> None:
        self._settings = settings

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:  # noqa: ARG002, the contract's signature
        """Take the address, once it is sound; the code that proves it comes with the challenge."""
        address = mailboxes.read(request.address)
        state = EmergencyState(context.random_bytes(KEY_BYTES), address)
        return Enrollment(state.encode(), label=mailboxes.masked(address))

    async def challenge(self, subject: Subject, state: bytes, context: SendingContext) -> Challenge:
        """Send a code, unless one is on its way; raises NotSent when there is then no code to type."""
        enrolled = decode(state)
        shown = mailboxes.masked(enrolled.address)
        before = enrolled.under_way
        if before is not None and not before.valid_at(context.now):
            before = None
        if before is not None and (waiting := self._waiting(before, shown, context)):
            return _asked(waiting)
        settings = self._settings
        code = base32.drawn(CODE_LETTERS, context.random_bytes)
        message = words.message(TEMPLATE, base32.grouped(code), settings.minutes, subject, context)
        try:
            await context.send(settings.channels, enrolled.address, message)
        except NotSent:
            if before is None:
                raise
            return _asked(
                f"No other code could be sent just now; the one sent to {shown} still counts "
                f"for {_more_minutes(before, context.now)}"
            )
        seconds = settings.minutes * words.SECONDS_A_MINUTE
        sent = issued.issue(enrolled.key, enrolled.address, context.now, seconds, code)
        first = "Emergency code" if before is None else "New emergency code"
        valid = words.in_minutes(settings.minutes)
        prompt = f"{first} sent to {shown}, valid {valid}{words.way_to_another(context)}"
        return _asked(prompt, enrolled.with_sent(sent).encode())

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:
        """Accept the code on its way; raises ValueError for a state or a memo not ours."""
        enrolled = decode(state)
        if memo != _MEMO:
            raise ValueError("the memo of an emergency code is none of ours")
        if words.wishes_another(answer):
            return Verdict(Decision.AGAIN)
        code = base32.typed(answer, CODE_LETTERS)
        if code is None:
            return Verdict(Decision.REJECT, reason=f"not a code of {CODE_LETTERS} characters")
        sent = enrolled.under_way
        if sent is None:
            return Verdict(Decision.REJECT, reason="no emergency code is on its way")
        right = sent.matches(enrolled.key, enrolled.address, code)
        if not sent.valid_at(context.now):
            return Verdict(Decision.REJECT, reason="code expired")
        if not right:
            return Verdict(Decision.REJECT, state=enrolled.with_wrong().encode(), reason="wrong code")
        return Verdict(Decision.ACCEPT, state=enrolled.with_sent(None).encode())

    def _waiting(self, before: Issued, shown: str, context: SendingContext) -> str:
        """What to say instead of sending; empty where another code is to be sent."""
        wait = before.wait_at(context.now, self._settings.resend_seconds)
        more = _more_minutes(before, context.now)
        if context.memo and wait:
            return f"Emergency code sent to {shown} already; another can be sent in {words.in_seconds(wait)}"
        if not context.memo and before.expires_at - context.now >= WORTH_WAITING_SECONDS:
            return f"An emergency code was sent to {shown}; it is valid for {more} (r to send another)"
        return ""


def _more_minutes(sent: Issued, now: float) -> str:
    count = words.minutes_left(sent.expires_at - now)
    return f"{count} more minute" if count == 1 else f"{count} more minutes"


def _asked(prompt: str, state: bytes | None = None) -> Challenge:
    return Challenge(prompt, memo=_MEMO, labelled=False, state=state)
