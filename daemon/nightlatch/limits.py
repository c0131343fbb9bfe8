"""The limiter's arithmetic: pure, over `LimitState`; the store applies it inside a decision.

MUST 1: an attempt is charged as a failure before it is checked; what turns out well is refunded.
MUST 2: a success forgets failures in a row, never the failures of the last 30 days.
MUST 3: a clock that is set back unlocks nothing early, and locks nobody for longer than the limit itself
        would from now on: times in the future count as now.
MUST 4: a blocked attempt is not checked and not counted.
MUST 5: an account that an administrator has disabled passes nothing; no success and no unlocking ends that.

Times are Unix seconds, durations seconds. The limits are those of NIST SP 800-63B-4, section 3.2.2 (at most
100 failures), made stricter: see the table "Numbers" of the design.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from nightlatch.addresses import one_source
from nightlatch.model import LimitState

FREE_FAILURES = 4
"""Second-factor failures in a row that cost nothing."""
BLOCKS = (30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
"""How long each further failure in a row blocks; the last one goes on."""
MOST_FAILURES = 100
"""Second-factor failures, in a row or within `MEMORY`, that disable the second factor."""
MEMORY = 30 * 86_400.0
"""How long a failure is remembered at most."""
BARRED = "the account is disabled by an administrator"
"""For log and audit; the person reads what everybody reads whom only an administrator helps."""

FROM_SOURCE = (5, 300.0)
"""Password failures of one account from one source: how many within how many seconds."""
SOURCE = (300, 300.0)
"""Password failures from one source, whatever the account."""
ACCOUNT = (20, 3600.0)
"""Password failures of one account that cost no wait."""
SPACINGS = (1.0, 2.0, 4.0, 8.0, 10.0)
"""Beyond `ACCOUNT`: how far apart the further attempts are let through; the last one goes on."""
LONGEST_WAIT = 10.0
"""How long an attempt waits for its turn at most; it is turned away when its turn is later."""


SENDS_OF_ACCOUNT = ((3, 600.0), (6, 3600.0), (20, 86_400.0))
"""Messages that one account may cause: how many within how many seconds, all of them together."""
SENDS_TO_ADDRESS = ((5, 3600.0),)
"""Messages that one address may get, whoever asks."""
MOST_TIMES = 200
"""Times that are kept of messages; where more may be sent, each time stands for several of them."""

_HORIZON = LONGEST_WAIT + SPACINGS[-1]
_KEPT_BEYOND = 40


@dataclass(frozen=True, slots=True)
class Charged:
    """An attempt that may be checked, counted as a failure already."""

    state: LimitState
    """To be stored before the check, or together with its result."""
    charged_at: float
    """What `refund` and `succeed` need, to find this failure again."""
    wait: float = 0.0
    """How long to sleep before the check."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """An attempt that must not be checked."""

    state: LimitState
    """To be stored, though nothing was counted: times that a set-back clock left in the future are gone."""
    reason: str
    """For log and audit."""
    retry_after: float
    """Seconds from now; 0 when only an administrator or recovery helps."""
    scope: str = ""
    """What `state` belongs to; named by `charge_each`."""


Rule: TypeAlias = Callable[[LimitState, float], Charged | Blocked]
"""Charges one scope: `rule(state, now)`."""


@dataclass(frozen=True, slots=True)
class Charges:
    """An attempt that passed every rule."""

    states: dict[str, LimitState]
    """New states by scope."""
    charged_at: float
    """What `refund` needs, for each of the scopes."""
    wait: float
    """The longest wait of all rules."""


FACTOR = "factor/"
"""How the scopes of second factors begin, and no others."""


def factor_scope(account_id: str) -> str:
    """The scope of all second factors of an account together."""
    return f"{FACTOR}{account_id}"


def password_rules(account_id: str, source: str) -> dict[str, Rule]:
    """What a password attempt is charged to, by scope; for an unknown name (no account) the source alone."""
    source = one_source(source)
    rules: dict[str, Rule] = {f"source/{source}": charge_source}
    if account_id:
        account = in_scope(account_id)
        rules[f"password/{account}/{source}"] = charge_password_from_source
        rules[f"password/{account}"] = charge_password
    return rules


def in_scope(account_id: str) -> str:
    """How an account is named in a scope that goes on behind it: no account is another's source."""
    return account_id.replace("%", "%25").replace("/", "%2F")


def charge_each(rules: Mapping[str, Rule], states: Mapping[str, LimitState], now: float) -> Charges | Blocked:
    """Charge every scope, or none: the first rule that blocks leaves all the others as they were."""
    charged: dict[str, LimitState] = {}
    wait = 0.0
    for scope, rule in rules.items():
        outcome = rule(states[scope], now)
        if isinstance(outcome, Blocked):
            return replace(outcome, scope=scope)
        charged[scope] = outcome.state
        wait = max(wait, outcome.wait)
    return Charges(charged, now, wait)


def charge_factor(state: LimitState, now: float) -> Charged | Blocked:
    """Charge an attempt at a second factor: a few are free, further ones block, at last all is disabled."""
    state = _put_right(state, now, MEMORY, _block(state.in_a_row))
    if state.barred:
        return Blocked(state, BARRED, 0.0)
    if state.disabled:
        return Blocked(state, "second factor disabled after too many failures", 0.0)
    if state.blocked_until > now:
        return Blocked(state, "second factor blocked after failures in a row", state.blocked_until - now)
    failures = (*state.failures, now)
    in_a_row = state.in_a_row + 1
    block = _block(in_a_row)
    return Charged(
        LimitState(
            failures=failures,
            in_a_row=in_a_row,
            blocked_until=now + block if block else 0.0,
            disabled=in_a_row >= MOST_FAILURES or len(failures) >= MOST_FAILURES,
        ),
        now,
    )


def charge_password_from_source(state: LimitState, now: float) -> Charged | Blocked:
    """Charge a password attempt to its account and source together."""
    return _charge_window(
        state, now, FROM_SOURCE, "too many password failures of this account from this source"
    )


def charge_source(state: LimitState, now: float) -> Charged | Blocked:
    """Charge a password attempt to its source."""
    return _charge_window(state, now, SOURCE, "too many password failures from this source")


def charge_password(state: LimitState, now: float) -> Charged | Blocked:
    """Charge a password attempt to its account: beyond the hour's failures each one waits for its turn."""
    most, seconds = ACCOUNT
    state = _put_right(state, now, seconds, _HORIZON)
    failures = (*state.failures, now)[-_KEPT_BEYOND:]
    beyond = len(state.failures) - most
    if beyond < 0:
        return Charged(replace(state, failures=failures), now)
    turn = max(now, state.blocked_until)
    if turn - now > LONGEST_WAIT:
        reason = "too many password failures of this account at once"
        return Blocked(state, reason, turn - now - LONGEST_WAIT)
    spacing = SPACINGS[min(beyond, len(SPACINGS) - 1)]
    return Charged(replace(state, failures=failures, blocked_until=turn + spacing), now, turn - now)


def charge_sends(windows: tuple[tuple[int, float], ...], to: str = "") -> Rule:
    """A rule that counts messages in several windows at once; `to` says in the reason whose they are.

    A message that did not leave stays counted: who makes providers fail gains nothing.
    """
    # Where many may be sent, a time is kept for each so many of them, and `in_a_row` has the rest.
    each = max(-(-most // MOST_TIMES) for most, _ in windows)

    def rule(state: LimitState, now: float) -> Charged | Blocked:
        state = _put_right(state, now, max(seconds for _, seconds in windows), 0.0)
        for most, seconds in windows:
            recent = [sent for sent in state.failures if sent > now - seconds]
            beyond = len(recent) * each + state.in_a_row - most
            if beyond >= 0:
                reason = f"{most} message{'s' * (most > 1)} in {seconds / 60:.0f} minutes{to}"
                last = recent[min(beyond // each, len(recent) - 1)] if recent else now
                return Blocked(state, reason, last + seconds - now)
        if state.in_a_row + 1 < each:
            return Charged(replace(state, in_a_row=state.in_a_row + 1), now)
        return Charged(replace(state, failures=(*state.failures, now), in_a_row=0), now)

    return rule


def refund(state: LimitState, charged_at: float) -> LimitState:
    """Take back the failure that was charged at this time: a success, or an outage. Others stay.

    What is not found (the clock was set back meanwhile) stays charged.
    """
    if charged_at not in state.failures:
        return state
    place = state.failures.index(charged_at)
    failures = state.failures[:place] + state.failures[place + 1 :]
    if not state.in_a_row:
        return replace(state, failures=failures)
    in_a_row = state.in_a_row - 1
    block = _block(in_a_row)
    return LimitState(
        failures=failures,
        in_a_row=in_a_row,
        blocked_until=min(state.blocked_until, failures[-1] + block) if block and failures else 0.0,
        disabled=state.disabled and (in_a_row >= MOST_FAILURES or len(failures) >= MOST_FAILURES),
        barred=state.barred,
    )


def succeed(state: LimitState, charged_at: float) -> LimitState:
    """Take back the charge of an attempt that passed, and forget the failures in a row before it."""
    return replace(refund(state, charged_at), in_a_row=0, blocked_until=0.0)


def forget(state: LimitState) -> LimitState:
    """Forget all failures, those of the 30 days too: an administrator unlocks the account."""
    return replace(state, failures=(), in_a_row=0, blocked_until=0.0, disabled=False)


def bar(state: LimitState) -> LimitState:
    """Let nothing pass any more, whatever is shown: an administrator disables the account."""
    return replace(state, barred=True)


def unbar(state: LimitState) -> LimitState:
    """Take `bar` back, and nothing else: what was blocked by failures still is."""
    return replace(state, barred=False)


def locked_until(state: LimitState, now: float) -> float | None:
    """Until when failures block a second factor; 0 for not at all, None for until an administrator helps."""
    state = _put_right(state, now, MEMORY, _block(state.in_a_row))
    if state.disabled:
        return None
    return state.blocked_until if state.blocked_until > now else 0.0


def forgettable(state: LimitState, now: float) -> bool:
    """Whether nothing would change if the state were lost."""
    return not (
        state.disabled
        or state.barred
        or state.in_a_row
        or state.blocked_until > now
        or any(failure > now - MEMORY for failure in state.failures)
    )


def _charge_window(state: LimitState, now: float, limit: tuple[int, float], reason: str) -> Charged | Blocked:
    most, seconds = limit
    state = _put_right(state, now, seconds, 0.0)
    if len(state.failures) >= most:
        return Blocked(state, reason, state.failures[-most] + seconds - now)
    return Charged(replace(state, failures=(*state.failures, now)), now)


def _put_right(state: LimitState, now: float, memory: float, horizon: float) -> LimitState:
    """The state without what is too old to count, and without times that can not be: see MUST 3."""
    failures = tuple(min(failure, now) for failure in state.failures if failure > now - memory)
    blocked_until = min(state.blocked_until, now + horizon)
    if failures == state.failures and blocked_until == state.blocked_until:
        return state
    return replace(state, failures=failures, blocked_until=blocked_until)


def _block(in_a_row: int) -> float:
    if in_a_row <= FREE_FAILURES:
        return 0.0
    return BLOCKS[min(in_a_row - FREE_FAILURES, len(BLOCKS)) - 1]
