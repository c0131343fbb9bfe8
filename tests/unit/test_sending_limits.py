"""The arithmetic of sending limits: many messages are counted in few times, and never more leave than may."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.limits import MOST_TIMES, SENDS_OF_ACCOUNT, Blocked, charge_sends
from nightlatch.model import LimitState

NOW = 1_800_000_000.0
HOUR = 3600.0


def run(windows: tuple[tuple[int, float], ...], gaps: list[float]) -> tuple[list[float], LimitState]:
    """When messages left, if one is tried after each gap; and what is kept."""
    rule, state, now, sent = charge_sends(windows), LimitState(), NOW, []
    for gap in gaps:
        now += gap
        outcome = rule(state, now)
        state = outcome.state
        if not isinstance(outcome, Blocked):
            sent.append(now)
    return sent, state


@given(
    st.sampled_from([1, 7, MOST_TIMES, MOST_TIMES + 1, 999, 2000]),
    st.lists(st.sampled_from([0.0, 0.5, 2.0, 40.0, 700.0]), min_size=1, max_size=400),
)
def test_no_hour_has_more_messages_than_may_be_sent(most: int, gaps: list[float]) -> None:
    """OOB-04: in any hour, whenever they are tried; what is kept stays small."""
    sent, state = run(((most, HOUR),), gaps)
    assert all(later - earlier >= HOUR for earlier, later in zip(sent, sent[most:], strict=False))
    assert len(state.failures) <= MOST_TIMES


@pytest.mark.parametrize("most", [1, 200, 201, 2000, 9999])
def test_as_many_leave_as_may_be_sent(most: int) -> None:
    """A limit is reached exactly, and an hour later again."""
    sent, _ = run(((most, HOUR),), [0.001] * (most + 50))
    assert len(sent) == most
    sent, state = run(((most, HOUR),), [*[0.001] * most, HOUR + 1, *[0.0] * (most + 50)])
    assert len(sent) == 2 * most - most % -(-most // MOST_TIMES)
    assert len(state.failures) <= MOST_TIMES


@given(st.lists(st.sampled_from([0.0, 1.0, 100.0, 601.0, 3601.0]), min_size=1, max_size=60))
def test_who_comes_back_when_told_to_may_send(gaps: list[float]) -> None:
    """`retry_after` is right: not a moment later is needed, and earlier is too early."""
    rule, state, now = charge_sends(SENDS_OF_ACCOUNT), LimitState(), NOW
    for gap in gaps:
        now += gap
        outcome = rule(state, now)
        state = outcome.state
        if isinstance(outcome, Blocked):
            while isinstance(outcome, Blocked):  # one window after the other may be in the way
                assert outcome.retry_after > 0
                assert isinstance(rule(state, now + outcome.retry_after - 0.01), Blocked)
                now += outcome.retry_after
                outcome = rule(state, now)
            state = outcome.state


def test_an_accounts_windows_hold_together() -> None:
    """A message every minute for two days: 3 in 10 minutes, 6 an hour, 20 a day."""
    sent, _ = run(SENDS_OF_ACCOUNT, [60.0] * (2 * 24 * 60))
    for most, seconds in SENDS_OF_ACCOUNT:
        assert all(later - earlier >= seconds for earlier, later in zip(sent, sent[most:], strict=False))
    assert len(sent) == 40
    assert all(later > earlier for earlier, later in pairwise(sent))
