"""What a decision sees and writes, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Invalid, Refused, Unavailable
from nightlatch.limits import Charged, charge_factor, charge_password_from_source, factor_scope
from nightlatch.model import (
    Account,
    AuditEvent,
    Changes,
    Credential,
    DecisionRequest,
    LimitState,
    Result,
    Snapshot,
)
from testbed.fixtures_store import START

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.store import SqlStore
    from testbed.fixtures_store import SetClock

ALICE = Account("corp", "4f0c", "alice")
PHONE = Credential(ALICE.id, "c1", "totp", "phone", b"step 0", START)
SCOPE = factor_scope(ALICE.id)
LOGIN = DecisionRequest(scopes=(SCOPE,), account_id=ALICE.id, account=ALICE)


def event(reason: str, result: Result = Result.GRANTED) -> AuditEvent:
    """An audit event of ALICE's."""
    return AuditEvent("login.factor", result, reason, "7f3a-22c1", ALICE.id, "alice", "sshd")


def put(credential: Credential) -> Callable[[Snapshot], tuple[Changes, None]]:
    """A body that adds or replaces a credential."""
    return lambda _: (Changes(put=(credential,)), None)


def use_once(snapshot: Snapshot) -> tuple[Changes, bool]:
    """A body that grants when the credential's state is still the one of step 0, and moves it on."""
    [credential] = snapshot.credentials
    if credential.state != b"step 0":
        charged = charge_factor(snapshot.limits[SCOPE], snapshot.now)
        return Changes(limits={SCOPE: charged.state}, events=(event("used before", Result.REFUSED),)), False
    used = replace(credential, state=b"step 1", last_used_at=snapshot.now)
    return Changes(put=(used,), events=(event("right code"),)), True


async def test_a_decision_sees_what_was_written_before(store: SqlStore) -> None:
    """Limits, credentials and spent keys come back as they were written; fresh scopes are fresh."""
    limit = LimitState(failures=(START - 0.1, START), in_a_row=2, blocked_until=START + 0.25, disabled=True)
    request = replace(LOGIN, scopes=(SCOPE, "source/192.0.2.1"), spend_key="login-1")
    changes = Changes(limits={SCOPE: limit}, put=(PHONE,), spend=True)
    assert await store.decide(request, lambda seen: (changes, seen)) == Snapshot(
        START, {SCOPE: LimitState(), "source/192.0.2.1": LimitState()}, (), spent=False
    )
    assert await store.decide(request, lambda seen: (Changes(), seen)) == Snapshot(
        START, {SCOPE: limit, "source/192.0.2.1": LimitState()}, (PHONE,), spent=True
    )


async def test_credentials_are_listed_oldest_first_and_can_be_replaced_and_removed(store: SqlStore) -> None:
    """Reads outside decisions see what was committed, oldest first, and nobody else's credentials."""
    older = replace(PHONE, id="c9", label="old phone", created_at=START - 5)
    await store.decide(LOGIN, put(PHONE))
    await store.decide(LOGIN, put(older))
    assert await store.credentials(ALICE.id) == (older, PHONE)
    used = replace(PHONE, state=b"step 7", last_used_at=START + 1)
    await store.decide(LOGIN, put(used))
    await store.decide(LOGIN, lambda _: (Changes(removed=("c9",)), None))
    assert await store.credentials(ALICE.id) == (used,)
    assert await store.credentials("corp:somebody") == ()


async def test_sixty_four_logins_with_one_code_are_one_grant(store: SqlStore) -> None:
    """Of 64 decisions side by side on one valid code exactly one grants; each has its audit row."""
    await store.decide(LOGIN, put(PHONE))
    granted = await asyncio.gather(
        *(store.decide(LOGIN, use_once) for _ in range(64)), return_exceptions=True
    )
    assert granted.count(True) == 1
    rows = await store.audit_rows(ALICE.id, 100)
    assert len(rows) == 64
    assert sum(row.result is Result.GRANTED for _, row in rows) == 1


async def test_two_stores_on_one_postgresql_are_one_grant(
    postgres_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """Two daemons on one PostgreSQL behave as one: 64 logins with one code, one grant, none unavailable."""
    stores = open_stores(postgres_url), open_stores(postgres_url)
    await stores[0].decide(LOGIN, put(PHONE))
    granted = await asyncio.gather(*(stores[number % 2].decide(LOGIN, use_once) for number in range(64)))
    assert (granted.count(True), granted.count(False)) == (1, 63)


async def test_two_stores_lock_many_accounts_without_deadlock(
    postgres_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """Decisions on overlapping scopes in opposite orders, on two daemons: all succeed, no charge is lost."""
    stores = open_stores(postgres_url), open_stores(postgres_url)
    scopes = [f"source/{number}" for number in range(8)]

    def count(snapshot: Snapshot) -> tuple[Changes, None]:
        states = {
            scope: replace(state, in_a_row=state.in_a_row + 1) for scope, state in snapshot.limits.items()
        }
        return Changes(limits=states), None

    def request(number: int) -> DecisionRequest:
        chosen = [scopes[number % 8], scopes[(number * 3 + 1) % 8]]
        return DecisionRequest(scopes=tuple(dict.fromkeys(chosen if number % 2 else reversed(chosen))))

    requests = [request(number) for number in range(200)]
    await asyncio.gather(*(stores[n % 2].decide(one, count) for n, one in enumerate(requests)))
    seen = await stores[0].decide(DecisionRequest(scopes=tuple(scopes)), lambda s: (Changes(), s))
    assert sum(state.in_a_row for state in seen.limits.values()) == sum(len(one.scopes) for one in requests)


@pytest.mark.parametrize("daemons", [1, 2])
async def test_parallel_guesses_never_exceed_the_limit(
    store_url: str, open_stores: Callable[[str], SqlStore], daemons: int
) -> None:
    """Of 40 password guesses side by side exactly five are let through, on one daemon and on two."""
    stores = [open_stores(store_url) for _ in range(daemons)]
    request = DecisionRequest(scopes=("password/a/b",))

    def guess(snapshot: Snapshot) -> tuple[Changes, bool]:
        outcome = charge_password_from_source(snapshot.limits["password/a/b"], snapshot.now)
        return Changes(limits={"password/a/b": outcome.state}), isinstance(outcome, Charged)

    through = await asyncio.gather(*(stores[n % daemons].decide(request, guess) for n in range(40)))
    assert through.count(True) == 5


async def test_a_key_is_spent_once(store_url: str, open_stores: Callable[[str], SqlStore]) -> None:
    """A one-time key without any other lock is spent once, by whichever of two stores comes first."""
    stores = open_stores(store_url), open_stores(store_url)
    request = DecisionRequest(spend_key="login-7")

    def spend(snapshot: Snapshot) -> tuple[Changes, bool]:
        return Changes(spend=not snapshot.spent), not snapshot.spent

    spent = await asyncio.gather(*(stores[number % 2].decide(request, spend) for number in range(20)))
    assert spent.count(True) == 1
    with pytest.raises(Refused, match="spent before"):
        await stores[0].decide(request, lambda _: (Changes(spend=True), None))


async def test_a_body_that_raises_writes_nothing_and_disturbs_nobody(store: SqlStore) -> None:
    """What a body raises comes out of its own decision; the others of the group are written."""

    def fall(_: Snapshot) -> tuple[Changes, None]:
        raise Refused("wrong code")

    def leave(_: Snapshot) -> tuple[Changes, None]:
        raise SystemExit(3)

    def stop(_: Snapshot) -> tuple[Changes, None]:
        raise StopIteration

    good = store.decide(LOGIN, put(PHONE))
    outcomes = await asyncio.gather(
        store.decide(LOGIN, fall),
        store.decide(LOGIN, leave),
        good,
        store.decide(LOGIN, stop),
        store.decide(LOGIN, lambda _: None),  # type: ignore[arg-type,return-value]  # a body that lies
        return_exceptions=True,
    )
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Refused, Unavailable, type(None), Unavailable, TypeError]
    assert await store.credentials(ALICE.id) == (PHONE,)


@pytest.mark.parametrize(
    "changes",
    [
        Changes(limits={"factor/corp:other": LimitState()}),
        Changes(put=(replace(PHONE, account_id="corp:other"),)),
        Changes(removed=("c7",)),
        Changes(spend=True),
    ],
)
async def test_a_decision_changes_only_what_it_named(store: SqlStore, changes: Changes) -> None:
    """Limits, credentials and keys that the request did not name are refused, and nothing is written."""
    with pytest.raises(Invalid):
        await store.decide(LOGIN, lambda _: (replace(changes, events=(event("x"),)), None))
    assert await store.audit_rows(None, 5) == ()


async def test_changes_that_are_malformed_are_taken_as_a_whole_or_not_at_all(store: SqlStore) -> None:
    """A body whose last change is rubbish has none of its changes written."""
    rubbish = Changes({SCOPE: LimitState(in_a_row=9)}, (PHONE,), events=(event("x"), None))  # type: ignore[arg-type]  # rubbish
    with pytest.raises(AttributeError):
        await store.decide(LOGIN, lambda _: (rubbish, None))
    seen = await store.decide(LOGIN, lambda snapshot: (Changes(), snapshot))
    assert (seen.limits[SCOPE], seen.credentials) == (LimitState(), ())


async def test_what_a_database_can_not_take_fails_alone(store: SqlStore) -> None:
    """A credential whose label no database takes is unavailable; those beside it in the group are written."""
    odd = replace(PHONE, id="c2", label="\ud800")
    outcomes = await asyncio.gather(
        *(store.decide(LOGIN, put(replace(PHONE, id=f"a{number}"))) for number in range(5)),
        store.decide(LOGIN, put(odd)),
        *(store.decide(LOGIN, put(replace(PHONE, id=f"b{number}"))) for number in range(5)),
        return_exceptions=True,
    )
    assert [number for number, outcome in enumerate(outcomes) if outcome is not None] == [5]
    assert isinstance(outcomes[5], Unavailable)
    assert len(await store.credentials(ALICE.id)) == 10


async def test_decisions_are_taken_in_the_order_in_which_they_came(store: SqlStore) -> None:
    """First come, first served: within a group and over groups."""
    order: list[int] = []

    def note(number: int, _: Snapshot) -> tuple[Changes, None]:
        order.append(number)
        return Changes(), None

    await asyncio.gather(*(store.decide(DecisionRequest(), partial(note, number)) for number in range(600)))
    assert order == list(range(600))


async def test_the_audit_keeps_every_field_and_only_plain_text(
    store: SqlStore, store_clock: SetClock
) -> None:
    """AUD-02: fields come back as written, newest first; control characters and endless texts do not."""
    full = AuditEvent(
        "e", Result.LOCKED, "r", "1-2", "corp:1", "u", "s", "192.0.2.1", "totp", "c", "pam uid=0"
    )
    await store.record(full)
    store_clock.time += 1
    await store.record(
        replace(full, account_id="corp:2", user='a\n{"event":"grant"}\x1b[0m\0', source="x" * 9999)
    )
    newer, older = await store.audit_rows(None, 10)
    assert older == (START, full)
    assert newer[0] == START + 1
    assert newer[1].user == 'a\ufffd{"event":"grant"}\ufffd[0m\ufffd'
    assert newer[1].source == "x" * 256
    assert await store.audit_rows("corp:1", 10) == (older,)
    assert await store.audit_rows(None, 1) == (newer,)


async def test_a_cancelled_caller_does_not_take_its_charge_back(store: SqlStore) -> None:
    """A login that is given up after its decision was queued is charged all the same."""

    def charge(snapshot: Snapshot) -> tuple[Changes, None]:
        return Changes(limits={SCOPE: charge_factor(snapshot.limits[SCOPE], snapshot.now).state}), None

    task = asyncio.ensure_future(store.decide(LOGIN, charge))
    await asyncio.sleep(0)
    task.cancel()
    seen = await store.decide(LOGIN, lambda snapshot: (Changes(), snapshot))
    assert seen.limits[SCOPE].in_a_row == 1
    assert task.cancelled()


async def test_what_was_answered_is_remembered_with_the_spent_key(
    store_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """A second store, and a second decision of the same group, read what the first one remembered."""
    stores = [open_stores(store_url) for _ in range(2)]
    request = DecisionRequest(spend_key="request/1")

    def remember(snapshot: Snapshot) -> tuple[Changes, str]:
        if snapshot.spent:
            return Changes(), snapshot.spent_value
        return Changes(spend=True, spent_value="verified"), "new"

    answers = await asyncio.gather(*(stores[0].decide(request, remember) for _ in range(8)))
    assert sorted(answers) == ["new"] + ["verified"] * 7
    assert await stores[1].decide(request, remember) == "verified"
