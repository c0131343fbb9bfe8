"""What TOTP accepts, what it refuses, and what it says about it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightlatch.factor import Decision, Verdict
from nightlatch_totp.codes import CodeMaker, typed_code
from nightlatch_totp.factor import TotpFactor
from nightlatch_totp.settings import TotpSettings
from nightlatch_totp.state import TotpState, decode

NOW = 1_700_000_010.0
"""Mid-step: 10 s before and 20 s after belong to the same code."""
YEAR = 365 * 86_400
SECRET = bytes(range(20))


@dataclass(frozen=True)
class At:
    """A moment, as a factor's context."""

    now: float
    deadline: float = 0.0

    def random_bytes(self, count: int) -> bytes:
        """`verify` draws nothing."""
        raise AssertionError(count)


@dataclass
class Door:
    """A credential whose state is stored as the daemon would, with the app that belongs to it."""

    state: bytes = TotpState(SECRET, "SHA256", 6).encode()
    accepted: int = 0

    def code(self, now: float) -> str:
        """What the app shows at a time."""
        return CodeMaker(SECRET, 6, "SHA256").code(int(now // 30))

    def knock(self, code: str, now: float) -> Verdict:
        """Type a code at a time by the daemon's clock."""
        verdict = TotpFactor(TotpSettings()).verify(self.state, b"", code, At(now))
        self.state = self.state if verdict.state is None else verdict.state
        self.accepted += verdict.decision is Decision.ACCEPT
        return verdict

    def opens(self, code: str, now: float) -> bool:
        """Whether a code is accepted at a time."""
        return self.knock(code, now).decision is Decision.ACCEPT


@pytest.fixture
def door() -> Door:
    """A fresh credential."""
    return Door()


@pytest.mark.parametrize(("steps", "opens"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_the_window_is_one_step_each_way(door: Door, steps: int, opens: bool) -> None:  # noqa: FBT001, a table's column
    """OTP-04: codes of the steps -1, 0 and +1 pass; -2 and +2 are refused like any wrong code."""
    verdict = door.knock(door.code(NOW + 30 * steps), NOW)
    assert (verdict.decision is Decision.ACCEPT) is opens
    assert (verdict.state is None) is not opens


def test_right_but_late_costs_as_much_as_wrong(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """OTP-04: a right code from outside the window, or a used one, takes the computations of a wrong one."""
    door.opens(door.code(NOW - 300), NOW - 300)
    codes = ("000000", door.code(NOW - 90), door.code(NOW - 300))
    steps: list[int] = []
    plain = CodeMaker.code

    def counted(maker: CodeMaker, step: int) -> str:
        steps.append(step)
        return plain(maker, step)

    monkeypatch.setattr(CodeMaker, "code", counted)
    costs = []
    for code in codes:
        steps.clear()
        assert not door.opens(code, NOW)
        costs.append(list(steps))
    assert costs[0] == costs[1] == costs[2]


def test_two_codes_in_a_row_do_not_resynchronise(door: Door) -> None:
    """OTP-05: consecutive future codes move nothing, and none of them can be replayed."""
    ahead = [door.code(NOW + 30 * step) for step in (2, 3, 4)]
    assert not any(door.opens(code, NOW) for code in ahead + ahead)
    assert decode(door.state).spent == ()


def test_a_code_is_spent_by_its_use(door: Door) -> None:
    """OTP-07: the code that confirmed an enrolment does not open the login after it."""
    code = door.code(NOW)
    assert door.opens(code, NOW)
    assert door.knock(code, NOW) == Verdict(Decision.REJECT, reason="code used before")
    assert not door.opens(code, NOW + 30)


def test_an_older_code_is_dead_after_a_newer_one(door: Door) -> None:
    """The step only moves forward: with the code of +1 used, those of 0 and -1 are dead."""
    assert door.opens(door.code(NOW + 30), NOW)
    assert not door.opens(door.code(NOW), NOW)
    assert not door.opens(door.code(NOW - 30), NOW)
    assert door.opens(door.code(NOW + 60), NOW + 60)


def test_a_clock_set_back_a_minute_revives_nothing(door: Door) -> None:
    """OTP-06: 60 seconds back, the used code and the ones before it stay dead, until time has caught up."""
    used = door.code(NOW)
    assert door.opens(used, NOW)
    for now in range(int(NOW) - 60, int(NOW) + 31, 10):
        assert not door.opens(used, now)
        assert not door.opens(door.code(now), now) or now >= NOW + 20
    assert door.opens(door.code(NOW + 60), NOW + 60)


def test_a_clock_a_year_ahead_locks_nobody_out(door: Door) -> None:
    """OTP-06: a login under a clock a year ahead does not block the present, and stays spent next year."""
    ahead = door.code(NOW + YEAR)
    assert door.opens(ahead, NOW + YEAR)
    verdict = door.knock(door.code(NOW), NOW)
    assert verdict.decision is Decision.ACCEPT
    assert verdict.reason.startswith("the clock of this host went back by at least")
    assert not door.opens(door.code(NOW), NOW)
    assert not door.opens(ahead, NOW + YEAR)
    assert door.opens(door.code(NOW + YEAR + 30), NOW + YEAR + 30)


def test_a_long_stay_in_the_future_ends_well(door: Door) -> None:
    """OTP-06: even after dozens of logins under a wrong clock, the present is open and the past is dead."""
    assert door.opens(door.code(NOW), NOW)
    moments = [NOW + YEAR + 600 * login for login in range(40)]
    assert all(door.opens(door.code(moment), moment) for moment in moments)
    assert door.opens(door.code(NOW + 60), NOW + 60)
    assert not any(door.opens(door.code(moment), moment) for moment in moments)


@settings(deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=400), max_size=60), st.integers(-1, 1))
def test_no_step_is_ever_accepted_twice(jumps: list[int], offset: int) -> None:
    """OTP-06: wherever the clock jumps, a step that was accepted once is never accepted again."""
    door = Door()
    used: set[int] = set()
    for jump in jumps:
        now = NOW + 37 * jump * (1 + jump % 5 * 200)
        step = int(now // 30) + offset
        if door.opens(door.code(30 * step), now):
            assert step not in used
            used.add(step)


@pytest.mark.parametrize("typed", ["123456", "123 456", "123-456", "12 34 56", "1 2 3 4 5 6"])
def test_people_may_group_digits(typed: str) -> None:
    """One blank or dash between digits is how people read codes out."""
    assert typed_code(typed, 6) == "123456"


@pytest.mark.parametrize(
    "typed",
    ["", "12345", "1234567", "123  456", " 123456", "123456 ", "-123456", "123456\n", "12345a", "+12345"],
)
def test_what_is_no_code(typed: str) -> None:
    """What is not six digits with single separators between them is no code."""
    assert typed_code(typed, 6) is None


@pytest.mark.parametrize(
    "typed",
    [
        "\uff11\uff12\uff13\uff14\uff15\uff16",
        "12345\u00b2",
        "\u0661\u0662\u0663456",
        "123\u00a0456",
        "1_23456",
    ],
)
def test_only_ascii_digits_are_digits(typed: str) -> None:
    """Fullwidth and superscript digits, which pyotp takes, are none: one code has one text."""
    assert typed_code(typed, 6) is None


def test_lengths_are_the_credentials_own(door: Door) -> None:
    """A code of eight digits is none for a credential of six."""
    assert door.knock("12345678", NOW).reason == "not a code of 6 digits"


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (-90, "code of 90 seconds ago: typed late, or the phone's clock is about 1 min 30 s slow"),
        (-60, "code of 60 seconds ago: typed late, or the phone's clock is about 1 min slow"),
        (120, "code of 120 seconds ahead: the phone's clock is about 2 min fast"),
        (-600, "code of 600 seconds ago: typed late, or the phone's clock is about 10 min slow"),
        (-630, "wrong code"),
    ],
)
def test_the_audit_hears_of_a_wrong_clock(door: Door, seconds: int, reason: str) -> None:
    """OTP-04: a code of up to ten minutes away is told from a wrong one, and refused as that is."""
    verdict = door.knock(door.code(NOW + seconds), NOW)
    assert verdict.decision is Decision.REJECT
    assert verdict.reason == reason
    assert verdict.facts == ("" if reason == "wrong code" else f"offset={seconds // 30}")


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_the_audit_hears_how_an_accepted_code_s_clock_goes(door: Door, step: int) -> None:
    """For whoever looks at the clocks of all phones: each accepted code says of which step it was."""
    verdict = door.knock(door.code(NOW + 30 * step), NOW)
    assert (verdict.decision, verdict.facts) == (Decision.ACCEPT, f"offset={step}")


def test_a_used_code_is_called_used_when_it_is_late_too(door: Door) -> None:
    """A replay three minutes later is a replay, not a slow phone."""
    assert door.opens(door.code(NOW), NOW)
    assert door.knock(door.code(NOW), NOW + 180).reason == "code used before"


def test_the_audit_hears_of_an_app_that_ignores_the_hash(door: Door) -> None:
    """Some apps compute SHA-1 whatever they are told; the administrator is told, and the code refused."""
    sha1 = CodeMaker(SECRET, 6, "SHA1").code(int(NOW // 30))
    verdict = door.knock(sha1, NOW)
    assert verdict.decision is Decision.REJECT
    assert verdict.reason == "the app computes with SHA1, not SHA256: it ignored what the QR code says"
    assert door.opens(door.code(NOW), NOW)
    assert door.knock(sha1, NOW).reason == "wrong code"
