"""``nightlatch admin user`` and ``nightlatch credential reset``: what is asked, printed, and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.v1 import policy_pb2
from nightlatch.v1.admin_pb2 import ListCredentialsRequest
from nightlatch.v1.user_pb2 import DisableUserRequest, EnableUserRequest, GetUserRequest, ResetUserRequest
from testbed.command import nightlatch, nightlatch_json
from testbed.fake_daemon import device
from testbed.fake_users import INVITE, STARTED

if TYPE_CHECKING:
    from testbed.fake_daemon import FakeDaemon

ALICE = {"directory": "corp", "stable_id": "id-of-alice", "name": "alice"}


def test_how_a_person_stands(daemon: FakeDaemon) -> None:
    """Credentials and devices in tables of their own, and a line for whatever keeps the person out."""
    daemon.people["alice"].append(device("d-1", "Laptop"))
    view = daemon.users.view
    view.limits.failures_in_a_row, view.limits.failures_in_all = 2, 7
    view.standing.grace_logins = 3
    view.policy.handle, view.policy.groups_known = "uid=alice,dc=nl", True
    view.policy.groups.add(name="staff")
    view.policy.prospect.outlook = policy_pb2.OUTLOOK_READY
    view.policy.prospect.because = "totp"
    shown = nightlatch("admin", "user", "show", "alice", "--socket", daemon.socket)
    assert shown.exit_code == 0
    for words in ("2 in a row, 7 in 30 days", "uid=alice,dc=nl", "put off 3 times", "yes, with what policy"):
        assert words in shown.stdout
    assert shown.stdout.index("Devices:") < shown.stdout.index("Laptop")
    (answer,) = nightlatch_json(
        "admin", "user", "show", "alice", "--service", "imap", "--socket", daemon.socket
    )
    assert answer["account"] == ALICE
    devices, policy = answer["devices"], answer["policy"]
    assert isinstance(devices, list)
    assert isinstance(policy, dict)
    assert ([one["id"] for one in devices], policy["service"]) == (["d-1"], "imap")
    assert (answer["groups"], answer["disable_time"]) == (1, None)
    assert daemon.asked == [GetUserRequest(user="alice", service=one) for one in ("sshd", "imap")]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("disable_time", "no: disabled by an administrator since"),
        ("locked_until_time", "not before"),
        ("locked", "nightlatch admin user unlock"),
    ],
)
def test_what_keeps_a_person_out_is_said(daemon: FakeDaemon, field: str, words: str) -> None:
    """A lock is told from a ban, with what to do."""
    limits = daemon.users.view.limits
    if field == "locked":
        limits.locked = True
    else:
        getattr(limits, field).FromSeconds(STARTED)
    assert words in nightlatch("admin", "user", "show", "bob", "--socket", daemon.socket).stdout


def test_disabling_asks_first_and_enabling_does_not(daemon: FakeDaemon) -> None:
    """A slip keeps nobody out; without a person to ask, --yes is needed."""
    command = ("admin", "user", "disable", "alice", "--reason", "left", "--socket", daemon.socket)
    assert nightlatch(*command, typed="n\n").exit_code != 0
    assert daemon.asked == [GetUserRequest(user="alice")]
    done = nightlatch(*command, "--yes")
    assert done.exit_code == 0
    assert "alice (corp) is disabled since" in done.stdout
    assert daemon.asked[-1] == DisableUserRequest(user="alice", reason="left")
    (answer,) = nightlatch_json("admin", "user", "enable", "alice", "--socket", daemon.socket)
    assert answer == {"account": ALICE, "was_disabled": True}
    assert (
        "was not disabled" in nightlatch("admin", "user", "enable", "alice", "--socket", daemon.socket).stdout
    )
    assert daemon.asked[-1] == EnableUserRequest(user="alice")


def test_a_reset_asks_first_and_shows_the_invite_once(daemon: FakeDaemon) -> None:
    """What ended is named, and the invite stands on a line of its own."""
    command = ("credential", "reset", "alice", "--days", "2", "--socket", daemon.socket)
    assert nightlatch(*command, typed="n\n").exit_code != 0
    assert daemon.asked == [ListCredentialsRequest(user="alice")]
    done = nightlatch(*command, "--yes")
    assert done.exit_code == 0
    assert f"  {INVITE}" in done.stdout.splitlines()
    assert '"tablet"' in done.stdout
    assert daemon.asked[-1] == ResetUserRequest(user="alice", days=2)
    (answer,) = nightlatch_json(*command, "--yes")
    assert answer["removed"] == []
    assert answer["invite"] == INVITE


def test_a_stranger_is_refused(daemon: FakeDaemon) -> None:
    """The daemon's words are told, and nothing is done."""
    for command in (("admin", "user", "show"), ("credential", "reset")):
        assert nightlatch(*command, "mallory", "--socket", daemon.socket).exit_code == 1


def test_sessions_are_listed_and_ended_one_by_one_or_all(daemon: FakeDaemon) -> None:
    """Neither an id nor --all ends nothing."""
    daemon.users.sessions = ["a1b2", "c3d4", "e5f6"]
    there = ("--socket", daemon.socket)
    (listed,) = nightlatch_json("session", "list", "alice", *there)
    sessions = listed["sessions"]
    assert isinstance(sessions, list)
    assert [one["id"] for one in sessions] == ["a1b2", "c3d4", "e5f6"]
    assert "c3d4" in nightlatch("session", "list", "alice", *there).stdout
    assert nightlatch("session", "end", "alice", *there).exit_code == 2
    (answer,) = nightlatch_json("session", "end", "alice", "c3d4", *there)
    assert answer == {"account": ALICE, "ended": 1}
    assert "Ended 2 sessions" in nightlatch("session", "end", "alice", "--all", *there).stdout
    assert "no open session" in nightlatch("session", "list", "alice", *there).stdout
