"""The factor: ten codes, shown once, each good for one login.

MUST 1: one path accepts, and it returns a state without the code.
MUST 2: a code is drawn from the context's randomness, shown by `enroll`, and nowhere kept as it is.
MUST 3: a new set has a new key and nothing of the old one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import nightlatch_base32 as base32
from nightlatch.factor import Challenge, Decision, Enrollment, Verdict
from nightlatch_recovery import codes
from nightlatch_recovery.importing import typed_scratch_code
from nightlatch_recovery.settings import RecoverySettings
from nightlatch_recovery.state import KEY_BYTES, MOST_CODES, RecoveryState, decode

if TYPE_CHECKING:
    from nightlatch.factor import Context, EnrollmentRequest, SendingContext, Settings, Subject

CODE_LETTERS = 16
"""80 bits."""
FEW = 3
"""From so many left on, the person is told at each use."""
_PROMPT = "One of your recovery codes"
_PROMPT_WITHOUT = "All your recovery codes are used; confirm in another way"


class RecoveryFactor:
    """Codes on paper."""

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:  # noqa: ARG002, the contract's signature
        """Draw ten codes and show them once. Ten hashes: a third of a second, and 19 MiB meanwhile."""
        key = context.random_bytes(KEY_BYTES)
        drawn = [base32.drawn(CODE_LETTERS, context.random_bytes) for _ in range(MOST_CODES)]
        kept = tuple(codes.keep(key, code, context.random_bytes) for code in drawn)
        details = tuple((f"code {number}", base32.grouped(code)) for number, code in enumerate(drawn, 1))
        return Enrollment(RecoveryState(key, kept).encode(), details=details)

    async def challenge(self, subject: Subject, state: bytes, context: SendingContext) -> Challenge:  # noqa: ARG002, the contract's signature
        """Ask for any unused code."""
        return Challenge(_PROMPT if decode(state).unused else _PROMPT_WITHOUT, labelled=False)

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:  # noqa: ARG002, the contract's signature
        """Accept an unused code; raises ValueError for a state not ours."""
        enrolled = decode(state)
        code = base32.typed(answer, CODE_LETTERS) or typed_scratch_code(answer)
        if code is None:
            return Verdict(Decision.REJECT, reason=f"not a code of {CODE_LETTERS} characters")
        used = enrolled.find(code)
        if used is None:
            return Verdict(Decision.REJECT, reason="no unused recovery code")
        after = enrolled.without(used)
        left = len(after.unused)
        reason = f"recovery codes left: {left}"
        return Verdict(
            Decision.ACCEPT, state=after.encode(), reason=reason, notice=_notice(left), uses_left=left
        )


def build(settings: Settings) -> RecoveryFactor:
    """Make the factor from its checked settings."""
    if not isinstance(settings, RecoverySettings):
        raise TypeError("the recovery factor is built from RecoverySettings")
    return RecoveryFactor()


def _notice(left: int) -> str:
    if left == 0:
        return "That was your last recovery code: make new ones now."
    if left > FEW:
        return ""
    are = "recovery code is" if left == 1 else "recovery codes are"
    return f"{left} {are} left: make new ones soon."
