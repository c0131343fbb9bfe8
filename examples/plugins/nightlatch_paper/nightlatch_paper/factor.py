"""The factor: three cells of a printed card, another three for each login.

MUST 1: one line accepts, and it returns a state in which these cells were asked for.
MUST 2: a question stays until it is answered: who does not like it can not get another by asking again.
MUST 3: an answer counts for the question that this login asked, and for no later one.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final

from pydantic import Field

from nightlatch.factor import Challenge, Decision, Enrollment, Settings, Verdict
from nightlatch_paper.card import ANSWER_DIGITS, KEY_BYTES, LETTERS, Card, cell_name, decode

if TYPE_CHECKING:
    from nightlatch.factor import Context, EnrollmentRequest, SendingContext, Subject

FEW: Final = 3
"""From so many logins on, the person is told at each how many are left."""
_NUMBER_BYTES: Final = 2
_LONGEST_TYPED: Final = 32
_DIGITS: Final = re.compile(f"[0-9]{{{ANSWER_DIGITS}}}")
_USED_UP: Final = "All cells of your card are used; confirm in another way"


class PaperSettings(Settings):
    """The table ``[factors.paper]``. Cards that are printed already keep their size."""

    rows: int = Field(
        10, ge=5, le=len(LETTERS), description="The rows of a new card, 5 to 12; each is good for two logins."
    )


class PaperFactor:
    """Cards on paper."""

    def __init__(self, settings: PaperSettings) -> None:
        self._rows = settings.rows

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:  # noqa: ARG002, the contract's signature
        """Draw a card, and show it once."""
        number = context.random_bytes(_NUMBER_BYTES).hex().upper()
        card = Card(self._rows, 0, context.random_bytes(KEY_BYTES))
        return Enrollment(card.encode(), details=(("card", number), *card.printed()), label=number)

    async def challenge(self, subject: Subject, state: bytes, context: SendingContext) -> Challenge:  # noqa: ARG002, the contract's signature
        """Ask for the next three cells."""
        card = decode(state)
        names = " ".join(cell_name(cell) for cell in card.asked)
        return Challenge(f"Cells {names} of your card" if names else _USED_UP, memo=bytes((card.question,)))

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:  # noqa: ARG002, the contract's signature
        """Accept what the cells say, blanks between them or not; raises ValueError for a state not ours."""
        card = decode(state)
        typed = answer.replace(" ", "") if len(answer) <= _LONGEST_TYPED else ""
        if _DIGITS.fullmatch(typed) is None:
            return Verdict(Decision.REJECT, reason=f"not {ANSWER_DIGITS} digits")
        if card.left == 0:
            return Verdict(Decision.REJECT, reason="all cells of the card are used")
        if memo != bytes((card.question,)):
            return Verdict(Decision.REJECT, reason="the question was answered by another login")
        if not hmac.compare_digest(typed, card.answer):
            return Verdict(Decision.REJECT, reason="not what the cells say")
        after = card.after()
        return Verdict(Decision.ACCEPT, after.encode(), f"left on the card: {after.left}", _notice(after))


def build(settings: Settings) -> PaperFactor:
    """Make the factor from its checked settings."""
    if not isinstance(settings, PaperSettings):
        raise TypeError("the paper factor is built from PaperSettings")
    return PaperFactor(settings)


def _notice(card: Card) -> str:
    if card.left == 0:
        return "Your card is used up: ask for a new one now."
    if card.left > FEW:
        return ""
    logins = "login" if card.left == 1 else "logins"
    return f"Your card is good for {card.left} more {logins}: ask for a new one soon."
