"""The administrator's commands against a real daemon."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2
from testbed.front_door import Person

if TYPE_CHECKING:
    from testbed.front_door import FrontDoor


def test_a_credential_lives_from_enrolment_to_removal(door: FrontDoor) -> None:
    """Enrolled by the command, listed without its secret, used once, removed, and of no use any more."""
    app = door.enroll("alice", "tablet")
    listed = json.loads(door.daemon.command("credential", "list", "alice", "--json").stdout)
    assert [one["label"] for one in listed["credentials"]] == ["tablet"]
    with door.daemon.channel() as channel:
        step = Person(channel).password()
        assert Person(channel).sign_in(app.fresh()).verdict == login_pb2.VERDICT_GRANTED
        identity = listed["credentials"][0]["id"]
        removed = door.daemon.command("credential", "remove", "alice", identity, "--yes", "--json")
        assert removed.returncode == 0
        assert Person(channel).answer(step, app.fresh()).outcome.verdict == login_pb2.VERDICT_REFUSED
    listed = json.loads(door.daemon.command("credential", "list", "alice", "--json").stdout)
    assert listed["credentials"] == []


def test_the_command_counts_an_enrolment_only_after_a_right_code(door: FrontDoor) -> None:
    """A wrong code stores nothing; the right one does."""
    wrong = door.daemon.command("credential", "enroll", "totp", "bob", "--json", answer="1\n2\n3\n")
    assert wrong.returncode == 1
    assert json.loads(door.daemon.command("credential", "list", "bob", "--json").stdout)["credentials"] == []


def test_status_tells_what_works_and_what_does_not(door: FrontDoor) -> None:
    """Every part has a line; a directory that is away is told as such, and makes the exit code 3 or 1."""
    healthy = door.daemon.command("status", "--json")
    assert healthy.returncode == 0
    parts = {(part["kind"], part["name"]): part for part in json.loads(healthy.stdout)["parts"]}
    assert parts["directory", "corp"]["healthy"] is True
    assert ("factor", "totp") in parts
    door.slapd.stop()
    sick = door.daemon.command("status", "--json")
    assert sick.returncode != 0
    parts = {(part["kind"], part["name"]): part for part in json.loads(sick.stdout)["parts"]}
    assert parts["directory", "corp"]["healthy"] is False


def test_an_administrator_unlocks_a_person(door: FrontDoor) -> None:
    """After too many wrong codes the right one is locked out, until an administrator forgets the failures."""
    app = door.enroll("alice")
    with door.daemon.channel() as channel:
        for _ in range(5):
            person = Person(channel)
            person.answer(person.begin(login_pb2.PRIMARY_ESTABLISHED), app.wrong())
        assert Person(channel).sign_in(app.fresh()).verdict == login_pb2.VERDICT_LOCKED
        unlocked = door.daemon.command("admin", "user", "unlock", "alice", "--json")
        assert json.loads(unlocked.stdout)["forgotten_failures"] == 5
        assert Person(channel).sign_in(app.fresh()).verdict == login_pb2.VERDICT_GRANTED


def test_a_daemon_that_is_away_is_told_with_its_own_exit_code(door: FrontDoor) -> None:
    """Exit code 3: unavailable."""
    door.daemon.stop()
    assert door.daemon.command("credential", "list", "alice").returncode == 3
