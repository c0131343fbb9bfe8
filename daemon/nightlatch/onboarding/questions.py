"""Asks the dialogue's questions: each has a ticket of its own, which lives as long as a login's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.errors import Refused
from nightlatch.login.step import PromptKind
from nightlatch.login.ticket import Stage

if TYPE_CHECKING:
    from nightlatch.factor import Enrollment
    from nightlatch.login.step import Prompt
    from nightlatch.login.turn import Turn
    from nightlatch.onboarding.stand import Stand

MOST_TRIES = 3
"""Answers to one question that are of no use, after which the login ends."""
MOST_QUESTIONS = 30
"""In one login: each gives it more time, so that there has to be an end."""


def ask(
    turn: Turn,
    stand: Stand,
    text: str,
    *,
    kind: PromptKind = PromptKind.ENROLLMENT,
    echo: bool = True,
    made: Enrollment | None = None,
) -> Prompt:
    """A question; with `made`, what the caller shows above it where it draws QR codes itself.

    Raises Refused where there were too many.
    """
    if stand.asked >= MOST_QUESTIONS:
        raise Refused("too many questions in one login")
    turn.state = replace(turn.state, onboarding=replace(stand, asked=stand.asked + 1).text())
    turn.give_time()
    prompt = turn.ask(kind, Stage.ONBOARDING, text, echo=echo)
    if made is None or not turn.state.draws_qr:
        return prompt
    return replace(prompt, qr_payload=made.qr_payload, details=made.details)
