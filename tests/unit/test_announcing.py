"""What is told after a commit: to people whose second factor was locked, and to whoever listens."""

from __future__ import annotations

from dataclasses import replace

import pytest
import structlog

from nightlatch.announcing import LOCK, AnnouncedStore
from nightlatch.errors import Unavailable
from nightlatch.limits import FREE_FAILURES, MOST_FAILURES, factor_scope
from nightlatch.model import AuditEvent, LimitState, Result
from nightlatch.notices import Notices
from testbed.core import ALICE
from testbed.newcomers import Newcomer

SCOPE = factor_scope(ALICE.id)


class Ear:
    """Keeps what it hears, and may be deaf."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, float]] = []
        self.fails = False

    def happened(self, event: AuditEvent, seconds: float) -> None:
        if self.fails:
            raise RuntimeError("deaf")
        self.heard.append((event.event, seconds))


class Told(Newcomer):
    """Alice with an app and a number, behind a store that tells."""

    def __init__(self) -> None:
        super().__init__()
        log = structlog.get_logger()
        announced = AnnouncedStore(self.store, log)
        parts = self.world.parts
        helps = {"help_url": "https://help.example.com", "help_phone": ""}
        notices = Notices(parts.sender, parts.factors, announced, self.clock, log, helps=helps)
        self.ear = Ear()
        announced.listen(notices)
        announced.listen(self.ear)
        self.world.parts = replace(parts, store=announced, notices=notices)
        self.give("c1", "app")
        self.give("s1", "sent")

    async def wrong(self, times: int) -> None:
        """Wrong codes, two in a login."""
        for _ in range(times):
            await self.log_in("wrong")
        await self.world.parts.notices.close()

    @property
    def locks(self) -> list[dict[str, str]]:
        """The values of the notices of locks that have left."""
        return [
            dict(message.values)
            for _, message in self.post.sent
            if message.template == "notice_account_locked"
        ]


async def test_a_lock_is_told_once_for_each_block() -> None:
    """THR-07: the failure that blocks is told with its length; attempts that are turned away are not."""
    alice = Told()
    await alice.wrong(FREE_FAILURES)
    assert alice.locks == []
    await alice.wrong(1)
    assert [(one["minutes"], one["user"]) for one in alice.locks] == [("1", "alice")]
    assert alice.locks[0]["help_url"] == "https://help.example.com"
    await alice.wrong(3)
    assert len(alice.locks) == 1
    alice.clock.time += 31
    await alice.wrong(1)
    assert [one["minutes"] for one in alice.locks] == ["1", "1"]
    assert alice.audit(LOCK) == ["second factor blocked after failures in a row"] * 2
    rows = [one for one in alice.store.events if one.event == LOCK]
    assert {(one.result, one.account_id, one.credential_id) for one in rows} == {
        (Result.LOCKED, ALICE.id, "")
    }


async def test_the_last_lock_says_that_only_an_administrator_helps() -> None:
    """No minutes stand in it."""
    alice = Told()
    failures = tuple(alice.clock.now() - 86_400.0 for _ in range(MOST_FAILURES - 1))
    alice.store.limits[SCOPE] = LimitState(failures, 1)
    await alice.wrong(1)
    (lock,) = alice.locks
    assert "minutes" not in lock
    assert (LOCK, 0.0) in alice.ear.heard


async def test_what_was_not_committed_is_not_told() -> None:
    """A store that is away tells of nothing."""
    alice = Told()
    alice.store.away = True
    with pytest.raises(Unavailable):
        await alice.world.parts.store.record(AuditEvent("x", Result.CHANGED, "", ""))
    assert alice.ear.heard == []


async def test_a_listener_that_fails_stops_no_decision() -> None:
    """Wrong codes are refused, and counted, whatever the listener does."""
    alice = Told()
    alice.ear.fails = True
    await alice.wrong(1)
    assert alice.store.limits[SCOPE].in_a_row == 1


async def test_what_a_login_writes_is_heard_in_order() -> None:
    """The listener hears each row after it was written."""
    alice = Told()
    await alice.log_in("word")
    assert [name for name, _ in alice.ear.heard] == [one.event for one in alice.store.events]
