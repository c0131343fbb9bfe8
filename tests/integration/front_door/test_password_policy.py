"""What the directory's password policy does to logins: what the person reads, and what the log says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2
from testbed.front_door import FrontDoor, Person
from testbed.process import wait_until
from testbed.slapd_policy import must_change, policy_parts

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.fixtures_directories import MakeSlapd


def _reasons(door: FrontDoor) -> list[object]:
    return [event["reason"] for event in door.daemon.events() if event.get("result") == "refused"]


def test_locked_and_to_be_changed(door_folder: Path, make_slapd: MakeSlapd) -> None:
    """Who must change the password reads so once it was right; a lock is told to nobody but the log."""
    slapd = make_slapd(parts=policy_parts())
    door = FrontDoor(door_folder, slapd)
    door.start()
    try:
        slapd.modify(must_change("alice"))
        with door.daemon.channel() as channel:
            alice, bob = Person(channel, "alice"), Person(channel, "bob")
            reset = alice.password().outcome
            wrong = alice.password("wrong").outcome
            for _ in range(3):
                bob.password("wrong")
            locked = bob.password().outcome
        assert {outcome.verdict for outcome in (reset, wrong, locked)} == {login_pb2.VERDICT_REFUSED}
        assert "must be changed" in reset.message
        assert locked.message == wrong.message
        assert "change" not in wrong.message
        wait_until(lambda: len(_reasons(door)) == 6, "six refusals in the log")
        first, second, *tries, last = _reasons(door)
        assert first == "password must be changed first"
        assert {second, *tries} == {"wrong password"}
        assert last == "locked by the directory"
    finally:
        door.stop()
