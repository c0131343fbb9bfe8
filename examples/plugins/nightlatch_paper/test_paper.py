"""The paper card passes the contract suite, and keeps its own promises."""  # noqa: INP001, a test file is no package

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from nightlatch.factor import Decision
from nightlatch.testing import FactorContract, FactorKit, Flow

if TYPE_CHECKING:
    from nightlatch.factor import Challenge, Enrollment

ROWS = 10
LOGINS = 20


def read_card(enrollment: Enrollment, challenge: Challenge) -> str:
    """What a person reads off the printed card, for the cells that the prompt names."""
    lines = {name: cells.split() for name, cells in enrollment.details}
    cells = re.findall(r"\b([A-L])([1-6])\b", challenge.prompt or "")
    return "".join(lines[row][int(column) - 1] for row, column in cells)


def right_answer(enrollment: Enrollment, challenge: Challenge, now: float) -> str:  # noqa: ARG001, the kit's signature
    """Three cells."""
    return read_card(enrollment, challenge)


def wrong_answers(enrollment: Enrollment, challenge: Challenge, now: float) -> tuple[str, ...]:  # noqa: ARG001, the kit's signature
    """One digit off, the cells in another order, and two cells."""
    right = read_card(enrollment, challenge)
    first = str((int(right[0]) + 1) % 10)
    return first + right[1:], right[3:] + right[:3], right[:6]


KIT = FactorKit(
    plugin="paper",
    factor="paper",
    right_answer=right_answer,
    wrong_answers=wrong_answers,
    settings={"rows": ROWS},
    changed_settings={"rows": 5},
    logins=LOGINS,
)


class TestPaper(FactorContract):
    """What every factor holds."""

    @pytest.fixture
    def kit(self) -> FactorKit:
        """A card of ten rows."""
        return KIT


def test_no_cell_is_asked_for_twice() -> None:
    """A card is good for twenty logins, its sixty cells are asked for once each, and then it is used up."""
    flow = Flow.begin(KIT)
    asked: list[str] = []
    for _ in range(LOGINS):
        asked += re.findall(r"\b[A-J][1-6]\b", flow.challenge.prompt or "")
        flow = flow.answered(flow.right_answer).later()
    assert len(asked) == len(set(asked)) == ROWS * 6
    assert flow.challenge.prompt == "All cells of your card are used; confirm in another way"
    assert flow.verify("000000000").decision is Decision.REJECT


def test_asking_again_gets_the_same_question() -> None:
    """Nobody can go on asking until the cells are some that they know."""
    flow = Flow.begin(KIT)
    assert flow.later().challenge.prompt == flow.challenge.prompt
    assert flow.answered(flow.wrong_answers[0]).later().challenge.prompt == flow.challenge.prompt


def test_of_two_logins_at_once_one_takes_the_question() -> None:
    """Two logins that wait for the same cells: the second answer is refused, whatever its cells say."""
    flow = Flow.begin(KIT)
    answered = flow.answered(flow.right_answer)
    verdict = answered.verify(answered.later().right_answer)
    assert verdict.decision is Decision.REJECT
    assert verdict.reason == "the question was answered by another login"


def test_a_card_of_a_restored_backup_ends() -> None:
    """STO-06: which cells were asked for since the backup nobody knows, so none is asked for again."""
    flow = Flow.begin(KIT)
    assert flow.facade.restored(flow.state, flow.context) is None


def test_blanks_between_cells_do_not_matter() -> None:
    """People type the cells as they are printed."""
    flow = Flow.begin(KIT)
    right = flow.right_answer
    assert flow.verify(f" {right[:3]} {right[3:6]} {right[6:]} ").decision is Decision.ACCEPT


def test_the_end_is_announced() -> None:
    """The last logins say how many are left."""
    flow, notices = Flow.begin(KIT), []
    for _ in range(LOGINS):
        notices.append(flow.verify(flow.right_answer).notice)
        flow = flow.answered(flow.right_answer).later()
    assert [bool(notice) for notice in notices] == [False] * (LOGINS - 4) + [True] * 4
    assert notices[-2] == "Your card is good for 1 more login: ask for a new one soon."
    assert notices[-1] == "Your card is used up: ask for a new one now."
