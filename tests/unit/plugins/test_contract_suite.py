"""The contract suite notices what it is there for: one fault after the other, put into a sound factor."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Unavailable
from nightlatch.testing import FactorContract, FactorKit
from unit.plugins.code_list import SOURCE

if TYPE_CHECKING:
    from nightlatch.factor import Challenge, Enrollment
    from unit.plugins.shelf import Shelf

PREAMBLE = """
import asyncio, logging, os, time

async def never_heeding():
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        await asyncio.sleep(2)
"""


def right_answer(enrollment: Enrollment, challenge: Challenge, now: float) -> str:
    """The code of the number that is asked for."""
    assert challenge.prompt is not None
    assert now
    return dict(enrollment.details)[f"code {challenge.prompt.split()[1]}"]


def wrong_answers(enrollment: Enrollment, challenge: Challenge, now: float) -> tuple[str, ...]:
    """All the others."""
    right = right_answer(enrollment, challenge, now)
    return ("0123456789", *(code for _, code in enrollment.details if code != right))


def installed(shelf: Shelf, sound: str, faulty: str) -> FactorKit:
    """The code list with one fault."""
    assert sound in SOURCE
    shelf.put("list", PREAMBLE + SOURCE.replace(sound, faulty))
    return FactorKit("list", "list", right_answer, wrong_answers, settings={"codes": 16}, logins=16)


FAULTS = (
    (
        "test_an_answer_counts_once",
        "state=bytes([VERSION, number + 1, last]) + secret)",
        "state=state)",
    ),
    (
        "test_wrong_answers_are_refused_and_change_nothing_for_the_right_one",
        "if not hmac.compare_digest",
        "if len(answer) != 10 and not hmac.compare_digest",
    ),
    (
        "test_what_only_resembles_the_answer_is_refused",
        "typed = answer.",
        "typed = answer.strip('0\\0').",
    ),
    (
        "test_a_damaged_state_lets_nobody_in",
        "number, last, secret = opened(state)",
        "if len(state) < 23: return Verdict(Decision.ACCEPT)\n        number, last, secret = opened(state)",
    ),
    (
        "test_an_answer_belongs_to_its_credential",
        "context.random_bytes(20)",
        "bytes(20)",
    ),
    (
        "test_randomness_comes_from_the_context",
        "context.random_bytes(20)",
        "os.urandom(20)",
    ),
    (
        "test_a_verdict_depends_on_nothing_but_its_arguments",
        "if number > last:",
        "self.seen = getattr(self, 'seen', 0) + 1\n        if number > last or self.seen > 1:",
    ),
    (
        "test_enrolled_credentials_survive_new_settings",
        "if number > last:",
        "if self._codes != last:",
    ),
    (
        "test_nothing_secret_is_told",
        "typed = answer.",
        "logging.getLogger('list').debug(answer)\n        typed = answer.",
    ),
    (
        "test_nothing_secret_is_told",
        "typed = answer.",
        "print(answer)\n        typed = answer.",
    ),
    (
        "test_nothing_secret_is_told",
        'reason=f"not code',
        'reason=f"{code(secret, number)} was right, not code',
    ),
    (
        "test_verify_is_quick",
        "typed = answer.",
        "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**5)\n        typed = answer.",
    ),
    (
        "test_unknown_settings_are_named",
        "class ListSettings(Settings):",
        "class ListSettings(Settings, extra='ignore'):",
    ),
    (
        "test_a_challenge_can_be_cancelled",
        "return Challenge(",
        "await never_heeding()\n        return Challenge(",
    ),
)


@pytest.mark.parametrize(("test", "sound", "faulty"), FAULTS)
def test_a_fault_is_noticed(
    shelf: Shelf, request: pytest.FixtureRequest, test: str, sound: str, faulty: str
) -> None:
    """Each fault makes the test fail that is there for it."""
    kit = installed(shelf, sound, faulty)
    method = getattr(FactorContract(), test)
    fixtures = [name for name in inspect.signature(method).parameters if name != "kit"]
    with pytest.raises((AssertionError, Unavailable, pytest.fail.Exception)):
        method(kit, *(request.getfixturevalue(name) for name in fixtures))


@pytest.mark.parametrize(
    ("test", "argument", "sound", "faulty"),
    [
        ("test_rubbish_is_refused_not_raised", "\ud800", 'encode(errors="replace")', "encode()"),
        (
            "test_time_comes_from_the_context",
            86_400.0,
            "if number > last:",
            "if context.now < time.time() - 9**9:",
        ),
    ],
)
def test_a_fault_is_noticed_by_an_example(
    shelf: Shelf, test: str, argument: object, sound: str, faulty: str
) -> None:
    """Faults that only one kind of input shows."""
    kit = installed(shelf, sound, faulty)
    with pytest.raises((AssertionError, Unavailable)):
        getattr(FactorContract(), test)(kit, argument)
