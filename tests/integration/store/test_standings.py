"""Standings, credentials that end, and reading of everybody at once, on both databases."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Invalid, Unavailable
from nightlatch.model import Changes, Credential, DecisionRequest, LimitState, Snapshot, Standing
from testbed.fixtures_store import START, SetClock, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.store import SqlStore

ALICE = "corp:4f0c"
REQUEST = DecisionRequest(account_id=ALICE, standing=True)
STANDING = Standing(START - 5, 2, "ab12", START + 60, START)
PHONE = Credential(ALICE, "c1", "totp", "phone", b"state", START)
DEVICE = Credential(ALICE, "c2", "device", "laptop", b"state", START, expires_at=START + 60)


def count_login(seen: Snapshot) -> tuple[Changes, int]:
    """A body that counts one more login in the grace."""
    logins = seen.standing.grace_logins + 1
    return Changes(standing=replace(seen.standing, grace_logins=logins)), logins


async def write(store: SqlStore, changes: Changes, request: DecisionRequest = REQUEST) -> None:
    """Write changes."""
    await store.decide(request, lambda _: (changes, None))


async def test_a_standing_comes_back_as_it_was_written(store: SqlStore) -> None:
    """An account without one has a fresh one; what was written is seen inside and outside decisions."""
    assert await store.standing(ALICE) == Standing()
    await write(store, Changes(standing=STANDING))
    assert await store.standing(ALICE) == STANDING
    assert await store.decide(REQUEST, lambda seen: (Changes(), seen.standing)) == STANDING
    assert await store.standing("corp:somebody") == Standing()


async def test_a_decision_that_did_not_ask_for_the_standing_neither_sees_nor_writes_it(
    store: SqlStore,
) -> None:
    """The standing is locked for those who asked; for others it is fresh, and writing it is a mistake."""
    await write(store, Changes(standing=STANDING))
    without = DecisionRequest(account_id=ALICE)
    assert await store.decide(without, lambda seen: (Changes(), seen.standing)) == Standing()
    for request in (without, DecisionRequest(standing=True)):
        with pytest.raises(Invalid):
            await write(store, Changes(standing=Standing()), request)
    assert await store.standing(ALICE) == STANDING


async def test_a_standing_that_is_taken_back_is_fresh_again(store: SqlStore) -> None:
    """What remembers nothing is in no report."""
    await write(store, Changes(standing=STANDING))
    await write(store, Changes(standing=Standing()))
    assert await store.standing(ALICE) == Standing()
    assert await store.standings() == {}


async def test_two_daemons_count_one_standing_together(
    store_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """Of 60 logins at once through two daemons each is counted, none twice, and nobody deadlocks.

    Each decision wants limits as well, new ones among them, in either order.
    """
    stores = [open_stores(store_url) for _ in range(2)]
    accounts = ["corp:b", "corp:a", "corp:c"]

    async def one(number: int) -> int:
        account = accounts[number % 3]
        scopes = (f"new/{59 - number}", f"factor/{account}", "shared")
        request = DecisionRequest(scopes, account, standing=True)

        def body(seen: Snapshot) -> tuple[Changes, int]:
            changes, logins = count_login(seen)
            return replace(changes, limits={scopes[0]: LimitState(in_a_row=1)}), logins

        return await stores[number // 3 % 2].decide(request, body)

    counted = await asyncio.gather(*(one(number) for number in range(60)))
    for place in range(3):
        assert sorted(counted[place::3]) == list(range(1, 21))
    assert {name: one.grace_logins for name, one in (await stores[0].standings()).items()} == dict.fromkeys(
        accounts, 20
    )


@pytest.mark.parametrize(
    "text", ["", "[]", '{"disabled_at":null}', '{"grace_logins":true}', '{"disabled":1.0}', '{"invite":7}']
)
async def test_a_malformed_standing_is_an_outage_and_not_a_fresh_one(
    store: SqlStore, text: str, store_url: str
) -> None:
    """A row that was damaged never lets an account in that an administrator keeps out; others go on."""
    await write(store, Changes(standing=STANDING))
    run(store_url, f"update standings set state = '{text}'")  # noqa: S608  # words of the test
    for look in (store.decide(REQUEST, count_login), store.standing(ALICE), store.standings()):
        with pytest.raises(Unavailable, match="malformed"):
            await look
    assert await store.decide(replace(REQUEST, account_id="corp:b"), count_login) == 1


async def test_a_time_that_is_no_time_is_not_written(store: SqlStore) -> None:
    """A standing that could not be read again is refused before anything of its decision is written."""
    changes = Changes(standing=Standing(disabled_at=float("nan")), put=(PHONE,))
    with pytest.raises(ValueError, match="JSON"):
        await write(store, changes)
    assert await store.standing(ALICE) == Standing()
    assert await store.credentials(ALICE) == ()


async def test_what_has_expired_counts_nowhere(store: SqlStore, store_clock: SetClock) -> None:
    """DEV-04: from its end on a credential is in no decision, no list and no report; before it, in all."""
    await write(store, Changes(put=(PHONE, DEVICE)))
    for at, expected in ((START + 59, (PHONE, DEVICE)), (START + 60, (PHONE,))):
        store_clock.time = at
        assert await store.credentials(ALICE) == expected
        assert await store.decide(REQUEST, lambda seen: (Changes(), seen.credentials)) == expected
        assert await store.enrolled() == {ALICE: tuple(one.factor for one in expected)}


async def test_what_has_expired_is_removed_and_does_not_come_back(
    store: SqlStore, store_clock: SetClock, store_url: str
) -> None:
    """DEV-04: once it is pruned, a clock that is set back brings nothing back; what lasts stays."""
    longer = replace(DEVICE, id="c3", expires_at=START + 3600)
    await write(store, Changes(put=(PHONE, DEVICE, longer)))
    store_clock.time += 60
    store_clock.ahead += 6  # time to prune
    for _ in range(2):  # it is done after an answer; the second answer shows that it is done
        await write(store, Changes())
    assert run(store_url, "select credential_id from credentials order by 1") == [("c1",), ("c3",)]
    store_clock.time = START
    assert await store.credentials(ALICE) == (PHONE, longer)


async def test_an_end_can_be_moved(store: SqlStore) -> None:
    """Replacing a credential replaces its end, too."""
    await write(store, Changes(put=(DEVICE,)))
    for end in (START + 600, None):
        await write(store, Changes(put=(replace(DEVICE, expires_at=end),)))
        assert await store.credentials(ALICE) == (replace(DEVICE, expires_at=end),)


async def test_a_report_reads_everybody_without_holding_anybody_up(store: SqlStore, store_url: str) -> None:
    """20,000 accounts in two queries, beside decisions that go on, in a loop that is never held for long.

    No state is unsealed for it: these do not open.
    """
    await write(store, Changes(standing=STANDING))
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)"
    credential = "'corp:' || i, 'c', 'totp', 'phone', cast('x' as STATE), 0, null, null from n"
    state = "blob" if store_url.startswith("sqlite") else "bytea"
    standing = "'corp:' || i, '{\"disabled_at\":5.0}', 0 from n"
    run(store_url, f"insert into credentials {numbers} select {credential.replace('STATE', state)}")
    run(store_url, f"insert into standings {numbers} select {standing}")
    report = asyncio.gather(store.enrolled(), store.standings())
    slowest = decisions = 0.0
    begun = time.monotonic()
    while not report.done():
        before = time.monotonic()
        await write(store, Changes())
        slowest = max(slowest, time.monotonic() - before)
        decisions += 1
    took = time.monotonic() - begun
    enrolled, standings = await report
    assert len(enrolled) == 20_000
    assert enrolled["corp:77"] == ("totp",)
    assert len(standings) == 20_001
    assert standings["corp:77"] == Standing(disabled_at=5.0)
    assert standings[ALICE] == STANDING
    assert decisions > 5
    assert slowest < max(1, took / 2)
