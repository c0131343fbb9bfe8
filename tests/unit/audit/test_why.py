"""Each refusal has one sentence."""

from __future__ import annotations

import pytest

from nightlatch.audit.facts import facts_of
from nightlatch.audit.why import sentence
from nightlatch.model import AuditEvent, Result

REFUSED, LOCKED, UNAVAILABLE, GRANTED = Result.REFUSED, Result.LOCKED, Result.UNAVAILABLE, Result.GRANTED


@pytest.mark.parametrize(
    ("event", "result", "reason", "facts", "expected"),
    [
        ("login.factor", REFUSED, "wrong code", "failures=2 free=4", "wrong code (2 of 4 before a pause)"),
        (
            "login.factor",
            REFUSED,
            "wrong code",
            "failures=6 free=4 pause=60",
            "wrong code (failure 6 in a row: a pause of 1 min)",
        ),
        (
            "login.factor",
            REFUSED,
            "wrong code",
            "failures=100 free=4 disabled=1",
            "wrong code (failure 100 in a row: now disabled)",
        ),
        ("login.factor", LOCKED, "blocked", "until=90", "locked until at 90: blocked"),
        ("login.factor", LOCKED, "disabled", "", "locked until an administrator unlocks it: disabled"),
        ("login.password", UNAVAILABLE, "directory corp: dc1 is away", "", "directory corp: dc1 is away"),
        ("login.evidence", REFUSED, "", "", "refused, and no reason was written"),
        ("login.exempt", GRANTED, "kiosk: no phones", "", "no second factor asked, rule kiosk: no phones"),
        ("login.factor", REFUSED, "wrong code", "failures=many", "wrong code"),
    ],
)
def test_a_refusal_in_a_sentence(event: str, result: Result, reason: str, facts: str, expected: str) -> None:
    """What it was, and what follows from it."""
    row = AuditEvent(event, result, reason, "7f3a", facts=facts)
    assert sentence(row, lambda at: f"at {at}") == expected


def test_facts_are_whole_numbers_with_names() -> None:
    """What is malformed is left out, and does no harm."""
    assert facts_of("offset=-1 failures=2 odd x= =3 y=1.5 z=--4 w=٣") == {"offset": -1, "failures": 2}
