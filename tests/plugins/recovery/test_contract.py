"""Recovery codes pass the contract suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.testing import FactorContract, FactorKit

if TYPE_CHECKING:
    from nightlatch.factor import Challenge, Enrollment


def right_answer(enrollment: Enrollment, challenge: Challenge, now: float) -> str:
    """A person takes one code a minute, from the top of the paper."""
    assert challenge.prompt == "One of your recovery codes"
    printed = [code for _, code in enrollment.details]
    return printed[int(now // 60) % len(printed)]


def wrong_answers(enrollment: Enrollment, challenge: Challenge, now: float) -> tuple[str, ...]:
    """A slip of the pen, and two halves of two codes."""
    code = right_answer(enrollment, challenge, now)
    other = right_answer(enrollment, challenge, now + 60)
    return (("1" if code[0] != "1" else "2") + code[1:], code[:10] + other[10:])


class TestRecovery(FactorContract):
    """The built-in factor."""

    @pytest.fixture
    def kit(self) -> FactorKit:
        """A person with the paper in hand."""
        return FactorKit("recovery", "recovery", right_answer, wrong_answers, logins=10)
