"""What follows from a change of the password, and from outages in the middle of one."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from nightlatch.account import Passwords, Sessions
from nightlatch.errors import Conflict, Invalid, Locked, PasswordNotTaken, ProofNeeded, Refused, Unavailable
from nightlatch.keys import Sealer
from nightlatch.login.hold import Level
from nightlatch.model import Result
from testbed.core import ALICE, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.errors import NightlatchError
    from nightlatch.model import Account, DecisionRequest, Secret, Snapshot

CALLER = "account uid=1000"


class Changing:
    """Alice, signed in, on fakes."""

    def __init__(self) -> None:
        self.world = World()
        self.sessions = Sessions(self.world.parts, Sealer(b"s" * 32, self.world.parts.randomness))
        self.passwords = Passwords(self.world.parts, self.sessions)
        self.world.give("d1", "device", "laptop")

    async def signed_in(self, level: Level = Level.FULL) -> bytes:
        """A session with a proof of this level."""
        return await self.sessions.open(CALLER, ALICE, level, "192.0.2.7", "c1")

    async def refusal(self, error: type[NightlatchError], old: bytes, new: bytes) -> NightlatchError:
        """What a change ends with."""
        bearer = await self.signed_in()
        with pytest.raises(error) as raised:
            await self.passwords.change(CALLER, bearer, old, new)
        return raised.value


async def test_devices_and_other_sessions_end_with_the_old_password() -> None:
    """The session that changed it goes on; the others and the devices do not (DEV-04)."""
    changing = Changing()
    mine, other = await changing.signed_in(), await changing.signed_in()
    await changing.passwords.change(CALLER, mine, b"right", b"better")
    assert changing.world.directory.passwords[ALICE.stable_id] == "better"
    assert set(changing.world.store.held[ALICE.id]) == {"c1"}
    assert (await changing.sessions.take(CALLER, mine)).account == ALICE
    with pytest.raises(Exception, match="has ended"):
        await changing.sessions.take(CALLER, other)
    events = [event.event for event in changing.world.store.events]
    assert events == ["password.change", "device.revoke"]


async def test_a_change_needs_a_full_proof() -> None:
    """A printed code is not enough, nor is a password alone (REC-04)."""
    changing = Changing()
    for level in (Level.NONE, Level.RESCUE):
        with pytest.raises(ProofNeeded):
            await changing.passwords.change(CALLER, await changing.signed_in(level), b"right", b"better")
    assert changing.world.directory.passwords[ALICE.stable_id] == "right"


async def test_a_wrong_old_password_is_counted_and_audited() -> None:
    """Five of them, and then a right one is not looked at either (PPW-01)."""
    changing = Changing()
    for _ in range(5):
        await changing.refusal(Refused, b"wrong", b"better")
    asked = changing.world.directory.asked
    await changing.refusal(Locked, b"right", b"better")
    assert changing.world.directory.asked == asked
    assert {event.result for event in changing.world.store.events} == {Result.REFUSED}


async def test_what_is_not_the_persons_fault_is_not_counted() -> None:
    """Outages, and new passwords that the directory does not take, cost no tries."""
    changing = Changing()
    for _ in range(6):
        told = await changing.refusal(PasswordNotTaken, b"right", b"x")
    assert "too short" in str(told)
    changing.world.directory.away_for_passwords = True
    for _ in range(6):
        await changing.refusal(Unavailable, b"right", b"better")
    changing.world.directory.away_for_passwords = False
    await changing.passwords.change(CALLER, await changing.signed_in(), b"right", b"better")


@pytest.mark.parametrize("new", [b"", b"a\0b", b"\xff", b"x" * 1025])
async def test_what_can_be_no_password_reaches_no_directory(new: bytes) -> None:
    """Empty, cut short or no text: refused before anybody is asked (PPW-02)."""
    changing = Changing()
    await changing.refusal(Invalid, b"right", new)
    assert changing.world.directory.asked == 0


async def test_the_same_password_is_no_change() -> None:
    """The old one as the new one is told so, and nothing is done."""
    changing = Changing()
    assert "Choose another" in str(await changing.refusal(Conflict, b"right", b"right"))


@pytest.mark.parametrize("decisions", [0, 1])
async def test_a_store_that_is_away_after_the_change_hides_it_from_nobody(
    decisions: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Away after so many more decisions: the notice leaves, and the answer says what was changed (DEV-04)."""
    changing = Changing()
    world, told = changing.world, []
    bearer = await changing.signed_in()
    change, decide = world.directory.change_password, world.store.decide

    async def change_first(account: Account, old: Secret | None, new: Secret) -> None:
        await change(account, old, new)
        left = [None] * decisions

        async def decide_until(request: DecisionRequest, body: Callable[[Snapshot], Any]) -> object:
            world.store.away = not left
            del left[:1]
            return await decide(request, body)

        monkeypatch.setattr(world.store, "decide", decide_until)

    monkeypatch.setattr(world.directory, "change_password", change_first)
    monkeypatch.setattr(world.parts.notices, "tell", lambda notice, event: told.append((notice, event.event)))
    with contextlib.nullcontext() if decisions else pytest.raises(Unavailable, match="password is changed"):
        await changing.passwords.change(CALLER, bearer, b"right", b"better")
    assert world.directory.passwords[ALICE.stable_id] == "better"
    assert told == [("notice_password_changed", "password.change")]
    assert ("password.not_cleared" in capsys.readouterr().out) is (decisions == 0)
    assert world.store.away
