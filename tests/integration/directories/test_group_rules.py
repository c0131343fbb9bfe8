"""A rule for a group of local accounts, and how old what it goes by may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.v1 import login_pb2
from testbed.two_directories import CORP, LOCAL, TwoDirectories, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import grpc

    from testbed.slapd import Slapd

OPS = """
[[policies]]
name = "watched"
second_factor = "observe"
[[policies]]
name = "operators"
match = { groups = ["ops"] }
"""


@pytest.fixture
def both(door_folder: Path, slapd: Slapd) -> Iterator[TwoDirectories]:
    """A host where the local group ops needs a second factor, and nobody else does yet."""
    world = TwoDirectories(door_folder, slapd)
    world.rules = OPS
    world.machine.add_group("ops", 30001, "erin", "dave")
    try:
        world.start()
        yield world
    finally:
        world.stop()


def _let_in(channel: grpc.Channel, name: str, password: str) -> bool:
    return Visitor(channel, name, password).come().outcome.verdict == login_pb2.VERDICT_GRANTED


def test_what_is_known_of_groups_may_be_a_minute_old(both: TwoDirectories) -> None:
    """A local group is its members' alone; a new membership counts after the cache's time, or a reload."""
    with both.daemon.channel() as channel:
        assert not _let_in(channel, "erin", LOCAL["erin"])
        assert _let_in(channel, "alice", LOCAL["alice"])
        assert _let_in(channel, "dave", CORP["dave"]), "a name of the slapd is in no local group"
        both.machine.add_group("ops", 30001, "erin", "alice")
        assert _let_in(channel, "alice", LOCAL["alice"])
        both.ask_first("local")
        assert not _let_in(channel, "alice", LOCAL["alice"])
