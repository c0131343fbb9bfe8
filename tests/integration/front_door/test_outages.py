"""What a failing directory does to logins: it denies, it says so, and it counts against nobody."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1 import login_pb2
from testbed.front_door import FrontDoor, Person
from testbed.process import wait_until
from testbed.slapd import password_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from testbed.pki import Pki
    from testbed.slapd import Slapd


def stop(slapd: Slapd, _pki: Pki) -> None:
    """The server is gone."""
    slapd.stop()


def hang(slapd: Slapd, _pki: Pki) -> None:
    """The kernel connects, nobody answers."""
    slapd.hang()


def other_ca(slapd: Slapd, pki: Pki) -> None:
    """The certificate is signed by somebody else."""
    slapd.restart(pki.untrusted)


def expire(slapd: Slapd, pki: Pki) -> None:
    """The certificate was good until yesterday."""
    slapd.restart(pki.expired)


def wrong_host(slapd: Slapd, pki: Pki) -> None:
    """The certificate is for another host."""
    slapd.restart(pki.wrong_host)


def failures(door: FrontDoor) -> list[str]:
    """Every limiter state with a failure in it."""
    with sqlite3.connect(door.daemon.folder / "state" / "nightlatch.db") as database:
        return [
            state for (state,) in database.execute("select state from limits") if '"failures":[]' not in state
        ]


def outages(door: FrontDoor) -> list[dict[str, object]]:
    """The logins that the log calls unavailable."""
    return [event for event in door.daemon.events() if event.get("result") == "unavailable"]


@pytest.mark.parametrize("fault", [stop, hang, other_ca, expire, wrong_host])
def test_a_failing_directory_is_unavailable_and_heals_by_itself(
    door: FrontDoor, pki: Pki, fault: Callable[[Slapd, Pki], None]
) -> None:
    """LDP-07: denied as unavailable, with the reason in the log; no counter moves; it works again alone."""
    app = door.enroll("alice")
    before = failures(door)
    fault(door.slapd, pki)
    with door.daemon.channel() as channel:
        for password in (password_of("alice"), "wrong"):
            outcome = Person(channel).password(password).outcome
            assert outcome.verdict == login_pb2.VERDICT_UNAVAILABLE
            assert outcome.reference in outcome.message
    wait_until(lambda: len(outages(door)) == 2, "both outages in the log")
    assert all(event["reason"] for event in outages(door))
    assert failures(door) == before
    if fault is hang:
        door.slapd.go_on()
    else:
        door.slapd.stop()
        door.slapd.restart(pki.server)
    with door.daemon.channel() as channel:
        step = login_pb2.Step()
        for _ in range(20):
            step = Person(channel).password()
            if step.WhichOneof("kind") == "prompt":
                break
        assert Person(channel).answer(step, app.fresh()).outcome.verdict == login_pb2.VERDICT_GRANTED
