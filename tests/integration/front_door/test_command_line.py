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
        removed = door.daemon.command(
            "credential", "remove", "alice", identity, "--without-proof", "--yes", "--json"
        )
        assert removed.returncode == 0
        assert Person(channel).answer(step, app.fresh()).outcome.verdict == login_pb2.VERDICT_REFUSED
    listed = json.loads(door.daemon.command("credential", "list", "alice", "--json").stdout)
    assert listed["credentials"] == []


def test_the_command_counts_an_enrolment_only_after_a_right_code(door: FrontDoor) -> None:
    """A wrong code stores nothing; the right one does."""
    wrong = door.daemon.command("credential", "enroll", "totp", "bob", "--json", answer="1\n2\n3\n")
    assert wrong.returncode == 1
    assert json.loads(door.daemon.command("credential", "list", "bob", "--json").stdout)["credentials"] == []


def test_a_credential_goes_behind_its_own_code(door: FrontDoor) -> None:
    """A wrong code removes nothing, the right one does; then the last one stays, whatever is typed."""
    phone, tablet = door.enroll("alice", "phone"), door.enroll("alice", "tablet")
    listed = json.loads(door.daemon.command("credential", "list", "alice", "--json").stdout)["credentials"]
    ids = {one["label"]: one["id"] for one in listed}
    typed = f"{phone.wrong()}\n{phone.fresh()}\n"
    removed = door.daemon.command("credential", "remove", "alice", ids["phone"], "--json", answer=typed)
    assert removed.returncode == 0, removed.stdout
    asked, wrong, done = (json.loads(line) for line in removed.stdout.splitlines())
    assert asked["credential"]["label"] == "phone"
    assert (wrong["confirmed"], wrong["tries_left"]) == (False, 2)
    assert done["removed"]["id"] == ids["phone"]
    last = door.daemon.command("credential", "remove", "alice", ids["tablet"], answer=f"{tablet.fresh()}\n")
    assert last.returncode == 1
    assert "last credential" in last.stderr
    with door.daemon.channel() as channel:
        assert Person(channel).sign_in(tablet.fresh()).verdict == login_pb2.VERDICT_GRANTED


def test_a_credential_gets_another_name(door: FrontDoor) -> None:
    """The command renames what the daemon has."""
    door.enroll("alice", "phone")
    (before,) = json.loads(door.daemon.command("credential", "list", "alice", "--json").stdout)["credentials"]
    assert door.daemon.command("credential", "rename", "alice", before["id"], "old phone").returncode == 0
    (after,) = json.loads(door.daemon.command("credential", "list", "alice", "--json").stdout)["credentials"]
    assert (after["id"], after["label"]) == (before["id"], "old phone")


def test_what_is_not_there_is_told_by_the_daemon(door: FrontDoor) -> None:
    """No device to revoke is fine; no channel of that name is refused with what is known."""
    door.enroll("alice")
    revoked = door.daemon.command("device", "revoke", "alice", "--all", "--yes", "--json")
    assert (revoked.returncode, json.loads(revoked.stdout)["revoked"]) == (0, [])
    tried = door.daemon.command("channel", "test", "smtp", "--to", "me@example.com")
    assert (tried.returncode, "no channel" in tried.stderr) == (1, True)


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
