"""``nightlatch invite``: shown once, for people and for programs, and revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.v1.admin_pb2 import CreateInviteRequest, RevokeInviteRequest
from testbed.command import nightlatch, nightlatch_json
from testbed.fake_users import INVITE

if TYPE_CHECKING:
    from testbed.fake_daemon import FakeDaemon

ALICE = {"directory": "corp", "stable_id": "id-of-alice", "name": "alice"}


def test_an_invite_is_shown_once_with_its_end(daemon: FakeDaemon) -> None:
    """The invite stands on a line of its own; it is good for a week unless something else is said."""
    result = nightlatch("invite", "alice", "--socket", daemon.socket)
    assert result.exit_code == 0
    assert f"  {INVITE}" in result.stdout.splitlines()
    assert "alice (corp)" in result.stdout
    nightlatch("invite", "alice", "--days", "2", "--socket", daemon.socket)
    assert daemon.asked == [CreateInviteRequest(user="alice", days=days) for days in (7, 2)]


def test_an_invite_as_json(daemon: FakeDaemon) -> None:
    """One object, with the end in UTC."""
    (answer,) = nightlatch_json("invite", "alice", "--socket", daemon.socket)
    assert answer == {"account": ALICE, "invite": INVITE, "expire_time": "2026-02-09T12:00:00Z"}


@pytest.mark.parametrize(("user", "words"), [("alice", "is good no more"), ("bob", "has no open invite")])
def test_revoking_says_whether_there_was_one(daemon: FakeDaemon, user: str, words: str) -> None:
    """No invite is made, and none to revoke is no error."""
    result = nightlatch("invite", user, "--revoke", "--socket", daemon.socket)
    assert result.exit_code == 0
    assert words in result.stdout
    (answer,) = nightlatch_json("invite", user, "--revoke", "--socket", daemon.socket)
    assert answer["revoked"] is (user == "alice")
    assert daemon.asked == [RevokeInviteRequest(user=user)] * 2


@pytest.mark.parametrize("days", ["0", "91", "x"])
def test_days_that_can_not_be_are_wrong_use(daemon: FakeDaemon, days: str) -> None:
    """Nothing is asked of the daemon."""
    assert nightlatch("invite", "alice", "--days", days, "--socket", daemon.socket).exit_code == 2
    assert daemon.asked == []


def test_an_unknown_person_is_refused(daemon: FakeDaemon) -> None:
    """The daemon's words are told."""
    result = nightlatch("invite", "mallory", "--socket", daemon.socket)
    assert result.exit_code == 1
    assert "mallory" in result.stderr
