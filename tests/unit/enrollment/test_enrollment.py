"""Enrolling and removing, on fakes of what is outside."""

from __future__ import annotations

import pytest

from nightlatch.enrollment import Enrollments, Removals
from nightlatch.enrollment.making import MAX_CREDENTIALS
from nightlatch.errors import Conflict, Locked, Refused
from nightlatch.keys import Sealer
from testbed.core import ALICE, World

CALLER = "admin uid=0"


@pytest.fixture
def world() -> World:
    """Alice, with one credential."""
    return World()


def enrollments(world: World) -> Enrollments:
    """Enrolments as after a restart."""
    return Enrollments(world.parts, Sealer(b"e" * 32, world.randomness))


async def test_guesses_at_a_confirming_code_are_counted(world: World) -> None:
    """MUST 4: an address is proven, not guessed: after five wrong codes the right one waits too."""
    begun = await enrollments(world).begin(CALLER, "alice", "word", "tablet")
    for _ in range(5):
        with pytest.raises(Refused):
            await enrollments(world).confirm(CALLER, begun.ticket, b"guess")
    with pytest.raises(Locked):
        await enrollments(world).confirm(CALLER, begun.ticket, b"word")
    assert [one.label for one in await world.store.credentials(ALICE.id)] == ["phone"]


async def test_a_confirmed_enrolment_counts_once(world: World) -> None:
    """The right code stores the credential, and its ticket is of no use any more."""
    begun = await enrollments(world).begin(CALLER, "alice", "word", "tablet")
    await enrollments(world).confirm(CALLER, begun.ticket, b"word")
    assert [one.label for one in await world.store.credentials(ALICE.id)] == ["phone", "tablet"]
    with pytest.raises(Exception, match="confirmed before"):
        await enrollments(world).confirm(CALLER, begun.ticket, b"word")


async def test_the_last_credential_stays_and_another_goes_behind_its_proof(world: World) -> None:
    """MUST 1, MUST 2: nothing goes without a proof, and not the last one."""
    removals = Removals(world.parts, Sealer(b"r" * 32, world.randomness))
    with pytest.raises(Conflict):
        await removals.begin(CALLER, "alice", "c1")
    world.give("c2", label="tablet")
    asked = await removals.begin(CALLER, "alice", "c1")
    with pytest.raises(Refused):
        await removals.confirm(CALLER, asked.ticket, b"wrong")
    await removals.confirm(CALLER, asked.ticket, b"word")
    assert [one.id for one in await world.store.credentials(ALICE.id)] == ["c2"]


async def test_enrolments_begun_together_go_no_further_than_the_limit(world: World) -> None:
    """API-03: how many credentials there are is counted where one is stored, and not before."""
    waiting = [await enrollments(world).begin(CALLER, "alice", "word", f"t{one}") for one in range(25)]
    for begun in waiting[: MAX_CREDENTIALS - 1]:
        await enrollments(world).confirm(CALLER, begun.ticket, b"word")
    for begun in waiting[MAX_CREDENTIALS - 1 :]:
        with pytest.raises(Conflict, match="20 credentials already"):
            await enrollments(world).confirm(CALLER, begun.ticket, b"word")
    assert len(await world.store.credentials(ALICE.id)) == MAX_CREDENTIALS


async def test_devices_leave_room_for_credentials(world: World) -> None:
    """Who trusts many devices can still set up a second step; devices have a limit of their own."""
    for number in range(MAX_CREDENTIALS):
        world.give(f"d{number}", "device")
    begun = await enrollments(world).begin(CALLER, "alice", "word", "tablet")
    await enrollments(world).confirm(CALLER, begun.ticket, b"word")
    assert "tablet" in {one.label for one in await world.store.credentials(ALICE.id)}
