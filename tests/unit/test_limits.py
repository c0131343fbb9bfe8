"""The limiter's arithmetic: what passes, what waits, what is blocked, and what a wrong clock does to it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.limits import (
    ACCOUNT,
    BARRED,
    BLOCKS,
    FREE_FAILURES,
    FROM_SOURCE,
    LONGEST_WAIT,
    MEMORY,
    MOST_FAILURES,
    SPACINGS,
    Blocked,
    Charged,
    Charges,
    Rule,
    bar,
    charge_each,
    charge_factor,
    charge_password,
    charge_password_from_source,
    charge_source,
    factor_scope,
    forget,
    forgettable,
    password_rules,
    refund,
    succeed,
    unbar,
)
from nightlatch.model import LimitState

NOW = 1_800_000_000.0
gaps = st.lists(st.integers(0, 4000), min_size=1, max_size=200)
steps = st.lists(st.integers(-100_000, 100_000), min_size=1, max_size=60)
rules = st.sampled_from([charge_factor, charge_password, charge_password_from_source, charge_source])


def passed(outcome: Charged | Blocked) -> Charged:
    """The outcome, which must be one that may be checked."""
    assert isinstance(outcome, Charged)
    return outcome


def blocked(outcome: Charged | Blocked) -> Blocked:
    """The outcome, which must be one that must not be checked."""
    assert isinstance(outcome, Blocked)
    return outcome


def fail(rule: Rule, times: int, state: LimitState | None = None, start: float = NOW) -> LimitState:
    """The state after `times` failures, a second apart."""
    state = state or LimitState()
    for number in range(times):
        state = passed(rule(state, start + number)).state
    return state


def test_four_factor_failures_are_free_and_each_further_one_blocks_for_longer() -> None:
    """Four failures cost nothing; then 30 s, 1, 2, 5, 15, 60, 60 minutes; nothing is counted meanwhile."""
    state, now = LimitState(), NOW
    for _ in range(FREE_FAILURES):
        state = passed(charge_factor(state, now)).state
    for block in (30, 60, 120, 300, 900, 3600, 3600, 3600):
        state = passed(charge_factor(state, now)).state
        refusal = blocked(charge_factor(state, now + block - 1))
        assert (refusal.retry_after, refusal.state) == (1, state)
        now += block


def test_a_success_forgets_the_row_but_not_the_thirty_days() -> None:
    """A success takes its own charge back and the failures in a row; the remembered failures stay."""
    state = fail(charge_factor, 4)
    charged = passed(charge_factor(state, NOW + 10))
    assert charged.state.blocked_until == NOW + 40
    after = succeed(charged.state, charged.charged_at)
    assert after == LimitState(failures=state.failures)


def test_a_hundred_factor_failures_in_thirty_days_disable_whatever_succeeds_between() -> None:
    """Successes between do not help: the hundredth failure within 30 days disables the second factor."""
    state, now = LimitState(), NOW
    for _ in range(MOST_FAILURES):
        assert not state.disabled
        state = passed(charge_factor(state, now)).state
        now += 600
        good = passed(charge_factor(state, now)) if not state.disabled else None
        state = succeed(good.state, good.charged_at) if good else state
    refusal = blocked(charge_factor(state, now + MEMORY * 2))
    assert (refusal.retry_after, state.disabled) == (0, True)


def test_failures_older_than_thirty_days_do_not_count() -> None:
    """The window of 30 days slides: 99 failures before it and 99 within it disable nothing."""
    old = LimitState(failures=(NOW - MEMORY,) * 99)
    state = passed(charge_factor(old, NOW)).state
    assert state.failures == (NOW,)
    assert not passed(charge_factor(LimitState(failures=(NOW - 5,) * 98), NOW)).state.disabled
    assert passed(charge_factor(LimitState(failures=(NOW - 5,) * 99), NOW)).state.disabled


def test_a_hundred_failures_in_a_row_disable_however_slow() -> None:
    """A hundred failures in a row disable the second factor though each month sees only a few."""
    state, now = LimitState(), NOW
    for _ in range(MOST_FAILURES):
        state, now = passed(charge_factor(state, now)).state, now + MEMORY / 2
    assert state.disabled
    assert len(state.failures) < 4


def test_the_hundredth_attempt_may_still_be_right() -> None:
    """The charge that would disable is taken back when its answer is right, or could not be checked."""
    state = LimitState(failures=(NOW - 5,) * 99)
    charged = passed(charge_factor(state, NOW))
    assert charged.state.disabled
    assert not succeed(charged.state, charged.charged_at).disabled
    assert not refund(charged.state, charged.charged_at).disabled


@pytest.mark.parametrize("before", [0, 3, 4, 5, 9])
def test_a_refund_leaves_no_trace_of_the_charge(before: int) -> None:
    """An outage after the charge: the refund puts back the state before, but for a block that had passed."""
    state, now = LimitState(), NOW
    for _ in range(before):
        state, now = passed(charge_factor(state, now)).state, now + 4000
    charged = passed(charge_factor(state, now))
    after = refund(charged.state, charged.charged_at)
    assert after == state


def test_a_refund_of_an_earlier_charge_keeps_the_later_one() -> None:
    """Two attempts side by side: refunding the first keeps the second one's failure, and its block fits."""
    first = passed(charge_factor(fail(charge_factor, 4), NOW + 10))
    second = passed(charge_factor(first.state, NOW + 40))
    after = refund(second.state, first.charged_at)
    assert after.failures[-1] == NOW + 40
    assert (after.in_a_row, after.blocked_until) == (5, NOW + 40 + BLOCKS[0])
    assert refund(after, NOW + 12_345) == after


def test_forgetting_unlocks_a_disabled_factor() -> None:
    """An administrator's unlock forgets all, so that the next failure does not disable again."""
    state = LimitState(failures=(NOW,) * 100, in_a_row=100, blocked_until=NOW + 9, disabled=True)
    assert forget(state) == LimitState()


def test_five_password_failures_from_one_source_block_it_for_the_rest_of_five_minutes() -> None:
    """The sixth attempt within five minutes of the first is blocked until the first is five minutes old."""
    state = fail(charge_password_from_source, 5)
    assert blocked(charge_password_from_source(state, NOW + 10)).retry_after == 290
    assert passed(charge_password_from_source(state, NOW + 300)).state.failures[0] == NOW + 1


def test_an_account_is_delayed_but_never_locked() -> None:
    """After 20 failures in an hour attempts take turns 1, 2, 4, 8, 10 s apart; none waits over 10 s."""
    state = fail(charge_password, ACCOUNT[0])
    now, waits = NOW + 100, []
    while isinstance(outcome := charge_password(state, now), Charged):
        state = outcome.state
        waits.append(outcome.wait)
    assert waits == [0, 1, 3, 7]
    assert outcome.retry_after == 15 - LONGEST_WAIT
    assert passed(charge_password(state, now + outcome.retry_after)).wait == LONGEST_WAIT
    assert passed(charge_password(state, now + 3600)).wait == 0


def test_charging_several_scopes_is_all_or_nothing() -> None:
    """When one rule blocks, no scope is charged; the refusal names the scope."""
    rules_of = password_rules("corp:1", "192.0.2.1")
    assert list(rules_of) == ["source/192.0.2.1", "password/corp:1/192.0.2.1", "password/corp:1"]
    states = dict.fromkeys(rules_of, LimitState())
    charges = charge_each(rules_of, states, NOW)
    assert isinstance(charges, Charges)
    assert charges.states == dict.fromkeys(rules_of, LimitState(failures=(NOW,)))
    states["password/corp:1/192.0.2.1"] = fail(charge_password_from_source, 5)
    refusal = charge_each(rules_of, states, NOW + 5)
    assert isinstance(refusal, Blocked)
    assert refusal.scope == "password/corp:1/192.0.2.1"


def test_all_addresses_of_one_ipv6_network_are_one_source() -> None:
    """THR-07: who has one address of a /64 has all of them, and gets no fresh start with each."""
    for same in ("2001:db8::1", "2001:db8:0:0:ffff::2", "2001:DB8::1%eth0"):
        assert list(password_rules("corp:1", same)) == [
            "source/2001:db8::/64",
            "password/corp:1/2001:db8::/64",
            "password/corp:1",
        ]
    assert list(password_rules("", "2001:db8:0:1::1")) == ["source/2001:db8:0:1::/64"]
    assert list(password_rules("", "::ffff:192.0.2.1")) == ["source/192.0.2.1"]
    assert list(password_rules("", ":0")) == ["source/:0"]


def test_no_account_shares_a_scope_with_the_source_of_another() -> None:
    """An unknown name charges its source alone; a slash in an id never looks like a source."""
    assert list(password_rules("", "console")) == ["source/console"]
    assert not set(password_rules("pam:a", "b")) & set(password_rules("pam:a/b", "c"))
    assert factor_scope("corp:1") == "factor/corp:1"


@given(gaps)
def test_no_window_of_five_minutes_ever_holds_more_than_five_passes(pauses: list[int]) -> None:
    """Whatever the pauses, no window of five minutes sees more than five attempts checked."""
    state, now, through = LimitState(), NOW, []
    for pause in pauses:
        now += pause / 10
        outcome = charge_password_from_source(state, now)
        state = outcome.state
        if isinstance(outcome, Charged):
            through.append(now)
    most, seconds = FROM_SOURCE
    assert all(
        later - earlier > seconds - 1e-6 for earlier, later in zip(through, through[most:], strict=False)
    )


@given(gaps)
def test_turns_of_an_account_are_in_order_and_apart(pauses: list[int]) -> None:
    """Beyond 20 failures in an hour the checks of one account never run closer than the spacing allows."""
    state, now, turns = LimitState(failures=(NOW,) * (ACCOUNT[0] + len(SPACINGS))), NOW + 200, []
    for pause in pauses:
        now += pause / 1000
        outcome = charge_password(state, now)
        state = outcome.state
        if isinstance(outcome, Charged):
            assert 0 <= outcome.wait <= LONGEST_WAIT
            turns.append(now + outcome.wait)
        else:
            assert 0 < outcome.retry_after <= SPACINGS[-1] + 1e-6
    assert all(later - earlier >= SPACINGS[-1] - 1e-6 for earlier, later in pairwise(turns))


@given(rules, gaps, st.integers(1, 400_000_000))
def test_a_clock_set_back_unlocks_nothing_early(rule: Rule, pauses: list[int], back: int) -> None:
    """OTP-06: what is blocked now is blocked, or delayed, as well at any earlier time of the clock."""
    state, now = LimitState(), NOW
    for pause in pauses:
        now += pause / 100
        outcome = rule(state, now)
        state = outcome.state
    now += 0.001
    outcome = rule(state, now)
    earlier = rule(state, now - back)
    if isinstance(outcome, Blocked):
        assert isinstance(earlier, Blocked)
        assert earlier.retry_after >= outcome.retry_after - 1e-3 or outcome.retry_after == 0
    elif isinstance(earlier, Charged):
        assert earlier.wait >= outcome.wait - 1e-3


@given(rules, steps)
def test_no_jump_of_the_clock_locks_for_longer_than_the_limit(rule: Rule, jumps: list[int]) -> None:
    """OTP-06: wherever the clock jumps, the time to wait stays within an hour and is over when it says so."""
    state, now = LimitState(), NOW
    for jump in jumps:
        now += jump * 100
        outcome = rule(state, now)
        assert all(failure <= now for failure in outcome.state.failures)
        state = outcome.state
        if isinstance(outcome, Blocked) and not state.disabled:
            assert 0 < outcome.retry_after <= BLOCKS[-1] + 1e-3
            assert isinstance(rule(state, now + outcome.retry_after + 1e-3), Charged)


@given(st.integers(1, 99), st.integers(0, 99))
def test_refunds_take_back_exactly_what_was_charged(count: int, which: int) -> None:
    """Of many charges in a window exactly the refunded one goes; a second refund changes nothing."""
    state = fail(charge_source, count)
    time = NOW + which % count
    after = refund(state, time)
    assert sorted((*after.failures, time)) == list(state.failures)
    assert refund(after, time) == after


def test_only_a_state_that_means_nothing_may_be_lost() -> None:
    """A row may be deleted when no failure in a row, no block, no recent failure and no lock is in it."""
    assert forgettable(LimitState(failures=(NOW - MEMORY,), blocked_until=NOW), NOW)
    assert not forgettable(LimitState(failures=(NOW - MEMORY + 1,)), NOW)
    assert not forgettable(LimitState(in_a_row=1), NOW)
    assert not forgettable(LimitState(blocked_until=NOW + 1), NOW)
    assert not forgettable(LimitState(disabled=True), NOW)


def test_a_disabled_account_passes_nothing_until_it_is_enabled() -> None:
    """No success under way, no refund, no unlocking and no time lets it in; enabling changes no more."""
    charged = charge_factor(LimitState((NOW - 5,), 1), NOW)
    assert isinstance(charged, Charged)
    barred = bar(charged.state)
    for state in (barred, refund(barred, NOW), succeed(barred, NOW), forget(barred)):
        outcome = charge_factor(state, NOW + 2 * MEMORY)
        assert isinstance(outcome, Blocked)
        assert (outcome.reason, outcome.retry_after) == (BARRED, 0.0)
        assert not forgettable(state, NOW + 2 * MEMORY)
    assert unbar(barred) == charged.state
