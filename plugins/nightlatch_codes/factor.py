"""The factor behind `sms` and `email`: a code that is sent, and typed back into the same login.

MUST 1: one path accepts, and it returns a state in which the code is used.
MUST 2: a code counts in its own login only: what is needed to check it lives in the memo, which the daemon
        seals into that login's ticket, and nowhere else (OOB-01).
MUST 3: another message has another code, and with its memo the older code is gone.
MUST 4: after its time a code is refused, right or wrong, with the same words (OOB-03).
MUST 5: nothing is sent to an address but the one that was proven (OOB-05).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.factor import Challenge, Decision, Enrollment, NotSent, Verdict
from nightlatch_codes import issued, words
from nightlatch_codes.issued import KEY_BYTES, Issued
from nightlatch_codes.state import SentCodeState, decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.factor import Context, EnrollmentRequest, SendingContext, Subject
    from nightlatch_codes.settings import EmailSettings, SmsSettings

TEMPLATE = "login_code"
_MEMO_VERSION = 1
_FEWEST_DIGITS, _MOST_DIGITS = 6, 10
_MEMO_HEAD = 2


@dataclass(frozen=True, slots=True)
class Addresses:
    """A kind of address."""

    read: Callable[[str], str]
    """The address in what was typed; raises ValueError with words for the person."""
    masked: Callable[[str], str]
    """How it is shown."""


class SentCodeFactor:
    """Codes that are sent to an address."""

    def __init__(self, addresses: Addresses, settings: SmsSettings | EmailSettings) -> None:
        self._addresses = addresses
        self._settings = settings

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:  # noqa: ARG002, the contract's signature
        """Take the address, once it is sound; the code that proves it comes with the challenge."""
        address = self._addresses.read(request.address)
        state = SentCodeState(context.random_bytes(KEY_BYTES), address)
        return Enrollment(state.encode(), label=self._addresses.masked(address))

    async def challenge(self, subject: Subject, state: bytes, context: SendingContext) -> Challenge:
        """Send a code, unless one has just been sent; raises NotSent when there is then no code to type."""
        enrolled = decode(state)
        before = _opened(context.memo)[1] if context.memo else None
        shown = self._addresses.masked(enrolled.address)
        if before is not None and (wait := before.wait_at(context.now, self._settings.resend_seconds)):
            return _asked(
                f"Code sent to {shown} already; another can be sent in {words.in_seconds(wait)}", context.memo
            )
        settings = self._settings
        code = issued.drawn_digits(settings.digits, context.random_bytes)
        message = words.message(TEMPLATE, code, settings.minutes, subject, context)
        try:
            await context.send(settings.channels, enrolled.address, message)
        except NotSent:
            if before is None or not before.valid_at(context.now):
                raise
            return _asked(
                f"No other code could be sent just now; the one sent to {shown} still counts", context.memo
            )
        seconds = settings.minutes * words.SECONDS_A_MINUTE
        sent = issued.issue(enrolled.key, enrolled.address, context.now, seconds, code)
        first = "Code" if before is None else "New code"
        valid = words.in_minutes(settings.minutes)
        memo = bytes((_MEMO_VERSION, settings.digits)) + sent.encode()
        return _asked(f"{first} sent to {shown}, valid {valid}{words.way_to_another(context)}", memo)

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:
        """Accept the code of this memo; raises ValueError for a state or a memo not ours."""
        enrolled = decode(state)
        digits, sent = _opened(memo)
        if words.wishes_another(answer):
            return Verdict(Decision.AGAIN)
        code = words.typed_digits(answer, digits)
        if code is None or len(code) != digits:
            return Verdict(Decision.REJECT, reason=f"not a code of {digits} digits")
        right = sent.matches(enrolled.key, enrolled.address, code)
        if not sent.valid_at(context.now):
            return Verdict(Decision.REJECT, reason="code expired")
        if not right:
            return Verdict(Decision.REJECT, reason="wrong code")
        if enrolled.was_used(sent):
            return Verdict(Decision.REJECT, reason="code used before")
        return Verdict(Decision.ACCEPT, state=enrolled.with_used(sent).encode())


def _asked(prompt: str, memo: bytes) -> Challenge:
    """The address in the prompt tells which credential is asked, so its name need not follow."""
    return Challenge(prompt, memo=memo, labelled=False)


def _opened(memo: bytes) -> tuple[int, Issued]:
    """The code's length and what is remembered of it; raises ValueError."""
    if len(memo) < _MEMO_HEAD or memo[0] != _MEMO_VERSION or not _FEWEST_DIGITS <= memo[1] <= _MOST_DIGITS:
        raise ValueError("the memo of a sent code is none of ours")
    return memo[1], issued.decode(memo[_MEMO_HEAD:])
