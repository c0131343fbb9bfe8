"""Values to columns and back; sealed rows; statements of many rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.keys import KEY_BYTES, MasterKey, SealError
from nightlatch.model import Credential, LimitState, Standing
from nightlatch.store.database import Dialect
from nightlatch.store.rows import FRESH, limit_state, limit_text, standing_of, standing_text
from nightlatch.store.seal import CredentialSeal
from nightlatch.store.statements import Insert
from testbed.fixtures_store import SystemRandomness

times = st.floats(0, 1e11, allow_nan=False)
DIALECT = Dialect(
    "?", "in (?)", lock="", skip_locked="", list_of=list, page="", pages="", placed="", columns=""
)
PHONE = Credential("corp:1", "c1", "totp", "phone", b"secret state", 1.0, 2.0)


@given(st.lists(times, max_size=9), st.integers(0, 200), times, st.booleans(), st.booleans())
def test_a_limit_comes_back_as_it_was(
    failures: list[float],
    in_a_row: int,
    blocked_until: float,
    disabled: bool,  # noqa: FBT001, hypothesis gives it by place
    barred: bool,  # noqa: FBT001, the same
) -> None:
    """Every state survives its text, to the last bit of every time."""
    state = LimitState(tuple(failures), in_a_row, blocked_until, disabled, barred)

    assert limit_state(limit_text(state)) == state


def test_a_fresh_limit_is_the_empty_text() -> None:
    """What remembers nothing takes no room."""
    assert limit_text(LimitState()) == FRESH


@given(
    st.none() | times, st.integers(0, 200), st.text("0123456789abcdef", max_size=64), times, st.none() | times
)
def test_a_standing_comes_back_as_it_was(
    started: float | None, logins: int, invite: str, expires_at: float, disabled_at: float | None
) -> None:
    """Every standing survives its text, zeros told from nothing; a fresh one takes no room."""
    standing = Standing(started, logins, invite, expires_at, disabled_at)
    assert standing_of(standing_text(standing)) == standing
    assert (standing_text(standing) == FRESH) is (standing == Standing())


@given(st.lists(st.tuples(st.text("0123456789abcdef"), times), max_size=8), st.text("abc"), times)
def test_sessions_resets_and_holds_come_back_as_they_were(
    sessions: list[tuple[str, float]], reset: str, expires_at: float
) -> None:
    """What a person's own account remembers survives its text too."""
    standing = Standing(sessions=tuple(sessions), reset=reset, reset_expires_at=expires_at)
    assert standing_of(standing_text(standing)) == standing
    standing = Standing(holds=tuple(sessions), rescued_at=expires_at)
    assert standing_of(standing_text(standing)) == standing


@pytest.mark.parametrize(
    "text",
    [
        f'{{"{name}":{value}}}'
        for name in ("sessions", "holds")
        for value in ("{}", '[["x"]]', '[["x",1]]', '[["x",1e999]]', "null")
    ],
)
def test_malformed_sessions_and_holds_are_an_error(text: str) -> None:
    """What was not written by us is never taken for "no sessions", or "no hold"."""
    with pytest.raises(ValueError, match=r".+"):
        standing_of(text)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", '{"disabled_at":NaN}', '{"disabled_at":1e999}', '{"disabled_at":1', '{"x":1}']
)
def test_a_malformed_standing_is_an_error_and_not_a_fresh_one(text: str) -> None:
    """What was not written by us is never taken for "not disabled"."""
    with pytest.raises(ValueError, match=r".+"):
        standing_of(text)


@pytest.mark.parametrize("text", ["", "[]", "null", '{"failures":["x"]}', '{"unknown":1}', '{"in_a_row":'])
def test_a_malformed_limit_is_an_error_and_not_a_fresh_one(text: str) -> None:
    """What was not written by us is never taken for "no failures"."""
    with pytest.raises((ValueError, TypeError)):
        limit_state(text)


def test_a_sealed_row_opens_only_as_it_was_written() -> None:
    """Account, id and factor are part of the seal; label and times are not secret and may change."""
    seal = CredentialSeal(MasterKey(b"k" * KEY_BYTES), SystemRandomness())
    row = seal.row(PHONE)
    assert b"secret" not in row[4]  # type: ignore[operator]  # the fifth column holds bytes
    assert seal.credential(row) == PHONE
    for place, other in enumerate(("corp:2", "c2", "recovery")):
        with pytest.raises(SealError):
            seal.credential((*row[:place], other, *row[place + 1 :]))
    with pytest.raises(SealError):
        seal.credential(("corp:1c", "1", *row[2:]))
    assert seal.credential((*row[:3], "new label", *row[4:])) == replace(PHONE, label="new label")


def test_a_key_check_opens_with_its_key_alone() -> None:
    """STO-02: neither another key nor rubbish passes."""
    one = CredentialSeal(MasterKey(b"k" * KEY_BYTES), SystemRandomness())
    other = CredentialSeal(MasterKey(b"o" * KEY_BYTES), SystemRandomness())
    assert one.opens(one.key_check())
    assert not other.opens(one.key_check())
    assert not one.opens("rubbish")
    assert not one.opens("")


@given(st.integers(1, 300))
def test_rows_go_in_by_the_handful_and_in_order(count: int) -> None:
    """Every row is written once, in order, in few statements with few texts."""
    insert = Insert(DIALECT, "insert into t (a, b)")
    queries = insert.of([(number, -number) for number in range(count)])
    values = [value for query in queries for value in query.values]
    assert values == [value for number in range(count) for value in (number, -number)]
    assert all(query.sql.count("(?, ?)") * 2 == len(query.values) for query in queries)
    assert len(queries) <= count // 64 + 6
