"""What is left of a store that was put back, on both databases: all of it done, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.audit.evidence import AuditKeys
from nightlatch.audit.verify import verify
from nightlatch.errors import ConfigError, Conflict, Unavailable
from nightlatch.keys import KEY_BYTES, MasterKey
from nightlatch.model import Account, Changes, Credential, DecisionRequest, Standing
from nightlatch.store.offline import Tools, alone_with, looking_at
from nightlatch.store.opening import store_epoch
from nightlatch.store.restored import PAGE
from testbed.audit import Kept
from testbed.fixtures_store import KEY, START, SetClock, SystemRandomness, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.store import SqlStore
    from nightlatch.store.restored import Tally


def judged(credential: Credential, now: float) -> bytes | None:
    """Apps stay, as of now; all else ends."""
    return f"as of {now:.0f}".encode() if credential.factor == "app" else None


def tools(kept: Kept | None = None, progress: Callable[[int, int], None] = lambda _done, _of: None) -> Tools:
    """What the command uses, with a judge of the test's own."""
    return Tools(KEY, SetClock(START + 500), SystemRandomness(), kept or Kept(), judged, progress)


def put_right(url: str, with_tools: Tools | None = None) -> Tally:
    """What `nightlatch store restored` does."""
    with alone_with(url, with_tools or tools()) as restoration:
        return restoration.run("command uid=0")


async def enroll(store: SqlStore, name: str, *factors: str, standing: Standing | None = None) -> Account:
    """Give a person these factors."""
    account = Account("corp", name, name)
    put = tuple(
        Credential(account.id, f"{factor}{place}", factor, "phone", b"as of then", START)
        for place, factor in enumerate(factors)
    )
    request = DecisionRequest((), account.id, account, standing=True)
    await store.decide(request, lambda _: (Changes(put=put, standing=standing), None))
    return account


def content(url: str) -> list[list[str]]:
    """All rows that a restore may change."""
    tables = ("credentials", "standings", "meta", "audit", "audit_writers")
    return [sorted(map(repr, run(url, f"select * from {table}"))) for table in tables]  # noqa: S608  # the test's own words


async def test_each_credential_becomes_what_its_factor_says(
    store_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """STO-06: new states are sealed, others end, and who has nothing left is named."""
    store = open_stores(store_url)
    alice = await enroll(store, "alice", "app", "codes")
    bob = await enroll(store, "bob", "codes", "device")
    await store.close()
    tally = put_right(store_url)
    assert (tally.kept, tally.ended) == ({"app": 1}, {"codes": 2, "device": 1})
    assert tally.without == ("bob",)
    store = open_stores(store_url)
    [app] = await store.credentials(alice.id)
    assert (app.factor, app.label, app.created_at) == ("app", "phone", START)
    assert app.state == f"as of {START + 500:.0f}".encode()
    assert await store.credentials(bob.id) == ()


async def test_what_was_handed_out_is_dead_and_the_rest_of_a_standing_stays(
    store_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """STO-06: sessions, invites and reset codes end; who was disabled stays so, and grace stays used."""
    store = open_stores(store_url)
    end = START + 9000.0
    before = Standing(START, 2, "aa", end, START, (("bb", end), ("cc", end)), "dd", end)
    account = await enroll(store, "alice", standing=before)
    await store.close()
    tally = put_right(store_url)
    assert (tally.sessions, tally.invites, tally.resets) == (2, 1, 1)
    assert await open_stores(store_url).standing(account.id) == Standing(START, 2, disabled_at=START)


async def test_thousands_are_done_in_pages_and_what_does_not_open_stays_shut(
    store_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """Each is counted once, the bar gets to its end; a row that was moved lets nobody in afterwards."""
    store = open_stores(store_url)
    factors = ["app"] * (PAGE + 7)
    account = await enroll(store, "alice", *factors)
    moved = await enroll(store, "bob", "app")
    await enroll(store, "carol", "codes")
    await store.close()
    run(store_url, "update credentials set factor = 'codes' where account_id = 'corp:bob'")
    heard: list[tuple[int, int]] = []
    tally = put_right(store_url, tools(progress=lambda done, of: heard.append((done, of))))
    assert (tally.kept, tally.ended, tally.unreadable) == ({"app": PAGE + 7}, {"codes": 1}, 1)
    assert heard == [(PAGE, PAGE + 9), (PAGE + 9, PAGE + 9)]
    store = open_stores(store_url)
    assert {one.state for one in await store.credentials(account.id)} == {f"as of {START + 500:.0f}".encode()}
    with pytest.raises(Unavailable, match="does not open"):
        await store.credentials(moved.id)


async def test_what_fails_in_the_middle_changes_nothing(
    store_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """One transaction: after a failure the store is as the backup was, and can be put right."""
    store = open_stores(store_url)
    for name in ("alice", "bob"):
        await enroll(store, name, "codes", standing=Standing(invite="aa", invite_expires_at=START + 900))
    await store.close()
    before = content(store_url)

    def broken(credential: Credential, now: float) -> bytes | None:
        if credential.account_id == "corp:bob":
            raise KeyboardInterrupt
        return judged(credential, now)

    with (
        pytest.raises(KeyboardInterrupt),
        alone_with(store_url, replace(tools(), judge=broken)) as restoration,
    ):
        restoration.run("command uid=0")
    assert content(store_url) == before
    with looking_at(store_url, tools()) as restoration:
        assert restoration.survey().ended == {"codes": 2}
    assert content(store_url) == before
    assert put_right(store_url).ended == {"codes": 2}


async def test_no_daemon_goes_on_with_a_store_that_was_put_right(
    store_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """STO-06: one that has it open stops the command; one that comes back refuses it; a new one serves."""
    running = open_stores(store_url)
    account = await enroll(running, "alice", "app")
    with pytest.raises(Conflict, match="Stop every daemon"):
        put_right(store_url)
    await running.close()
    waiting = open_stores(store_url)  # it connects when it is asked first
    first = store_epoch(store_url)
    put_right(store_url)
    with pytest.raises(Unavailable, match="another one than before"):
        await waiting.credentials(account.id)
    assert len(await open_stores(store_url).credentials(account.id)) == 1
    await waiting.close()
    assert first == ""
    assert KEY.of_epoch(first) is KEY
    assert KEY.of_epoch(store_epoch(store_url)).derive("login ticket") != KEY.derive("login ticket")


async def test_the_audit_goes_on_in_a_chain_of_its_own(
    store_url: str, open_stores: Callable[[str], SqlStore]
) -> None:
    """The rows of a restore are chained and signed, and a look at all of them finds nothing."""
    store = open_stores(store_url)
    await enroll(store, "alice", "app", "codes")
    await store.close()
    kept = Kept()
    put_right(store_url, tools(kept))
    put_right(store_url, tools(kept))
    assert len(kept.lines) == 2
    pieces = [piece async for piece in verify(open_stores(store_url).audit, AuditKeys.of(KEY), kept.lines)]
    assert [one for piece in pieces for one in piece.findings] == []
    assert pieces[-1].rows == 3
    rows = run(store_url, "select event, reason, facts from audit order by id")
    assert rows == [
        ("credential.remove", "a backup of the store was put back", ""),
        ("store.restored", "app: 1 kept, codes: 1 ended", f"kept=1 ended=1 {NOTHING}"),
        ("store.restored", "app: 1 kept", f"kept=1 ended=0 {NOTHING}"),
    ]


NOTHING = "sessions=0 invites=0 resets=0 without=0"


def test_an_empty_database_is_no_store(store_url: str) -> None:
    """Nothing is made where the backup was to be put first."""
    for look in (alone_with, looking_at):
        with pytest.raises(ConfigError, match="there is no store of nightlatch"), look(store_url, tools()):
            pytest.fail("it was opened")


async def test_another_key_puts_nothing_right(store_url: str, open_stores: Callable[[str], SqlStore]) -> None:
    """STO-02: the backup of another installation, or the key of another one, is refused."""
    store = open_stores(store_url)
    await enroll(store, "alice", "codes")
    await store.close()
    other = replace(tools(), key=MasterKey(b"o" * KEY_BYTES))
    for look in (alone_with, looking_at):
        with pytest.raises(ConfigError, match="Restore the right key file"), look(store_url, other):
            pytest.fail("it was opened")
    assert len(run(store_url, "select * from credentials")) == 1
