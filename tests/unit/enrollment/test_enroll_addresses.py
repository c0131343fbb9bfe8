"""Addresses that the directory has are offered, masked, and proven all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nightlatch.enrollment import Enrollments
from nightlatch.errors import Invalid
from nightlatch.keys import Sealer
from nightlatch.model import Contact
from testbed.core import ALICE, World


@pytest.fixture
def world() -> World:
    """Alice, of whom the directory has two numbers."""
    made = World()
    made.directory.known["alice"] = replace(ALICE, contact=Contact(phones=("+1555", "+1666")))
    return made


def enrollments(world: World) -> Enrollments:
    """As an administrator meets them."""
    return Enrollments(world.parts, Sealer(b"e" * 32, world.randomness))


async def test_without_an_address_those_of_the_directory_are_listed_and_nothing_is_sent(world: World) -> None:
    """The administrator chooses by number; what is listed is masked by the factor."""
    with pytest.raises(Invalid, match=r"choose --directory-address 1 for .*, --directory-address 2 for "):
        await enrollments(world).begin("admin", "alice", "sent", "phone")
    assert world.post.sent == []


async def test_an_address_of_the_directory_counts_only_once_its_code_is_typed(world: World) -> None:
    """OOB-05: what stands in a directory is an offer, and no proof."""
    begun = await enrollments(world).begin("admin", "alice", "sent", "phone", directory_address=2)
    assert len(world.store.held[ALICE.id]) == 1  # the word that alice has
    assert [message.values["code"] for _, message in world.post.sent] == ["word1"]
    assert await enrollments(world).confirm("admin", begun.ticket, b"word1")
    assert len(world.store.held[ALICE.id]) == 2


@pytest.mark.parametrize(("address", "number"), [("+1777", 1), ("", 3)])
async def test_both_or_a_number_that_is_not_there_are_refused(
    world: World, address: str, number: int
) -> None:
    """Nothing is guessed."""
    with pytest.raises(Invalid):
        await enrollments(world).begin("admin", "alice", "sent", "phone", address, directory_address=number)
