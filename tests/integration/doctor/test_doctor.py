"""`nightlatch doctor` beside a real daemon and a real slapd."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nightlatch.cli.connection import daemon_at
from nightlatch.cli.doctor import facts, recent
from nightlatch.v1 import login_pb2
from testbed.command import NIGHTLATCH, program
from testbed.front_door import Person

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.front_door import FrontDoor


def looked(door: FrontDoor, pam_dir: Path) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """The exit code, and the findings by part: level and text."""
    arguments = ("doctor", "--config", door.daemon.config, "--pam-dir", pam_dir, "--json")
    answered = program(NIGHTLATCH, *arguments)
    assert answered.stderr == ""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in json.loads(answered.stdout)["findings"]:
        assert bool(one["remedy"]) == (one["level"] != "ok")
        found.setdefault(one["part"], []).append((one["level"], one["text"]))
    return answered.returncode, found


def levels(found: dict[str, list[tuple[str, str]]], part: str) -> list[str]:
    """How bad the findings of one part are."""
    return [level for level, _ in found[part]]


def test_a_right_installation_has_nothing_wrong(door: FrontDoor, tmp_path: Path) -> None:
    """Configuration, sockets, daemon, key, store and directory are fine, and codes are counted."""
    code, found = looked(door, tmp_path)
    assert code == 0, found
    for part in ("configuration", "socket pam", "socket admin", "daemon", "key", "store"):
        assert levels(found, part) == ["ok"], found[part]
    directory = next(part for part in found if part.startswith("directory"))
    assert levels(found, directory)[0] == "ok", found[directory]
    assert any("too few codes" in text for _, text in found["clock"])


def test_each_thing_that_is_wrong_is_told_with_the_daemon_down(door: FrontDoor, tmp_path: Path) -> None:
    """A key that others read, a stopped daemon, and a way past the second step are found at once."""
    state = door.daemon.folder / "state"
    door.daemon.stop()
    (state / "master.key").chmod(0o644)
    (tmp_path / "sshd").write_text("auth sufficient pam_unix.so\nauth requisite pam_nightlatch.so\n")
    code, found = looked(door, tmp_path)
    assert code == 1
    for part in ("socket admin", "daemon", "key", "pam sshd"):
        assert "fail" in levels(found, part), found[part]
    assert levels(found, "store") == ["ok"]
    (state / "master.key").chmod(0o600)


def test_another_key_than_the_store_s_is_told(door: FrontDoor, tmp_path: Path) -> None:
    """Before the daemon is restarted, and can not be."""
    key = door.daemon.folder / "state" / "master.key"
    key.write_bytes(b"x" * 32)
    code, found = looked(door, tmp_path)
    assert code == 1
    assert levels(found, "key") == ["ok", "fail"]


def test_a_directory_that_is_away_is_told_by_its_server(door: FrontDoor, tmp_path: Path) -> None:
    """With its URL."""
    door.slapd.stop()
    code, found = looked(door, tmp_path)
    assert code == 1
    (directory,) = (part for part in found if part.startswith("directory"))
    [(level, text)] = found[directory]
    assert (level, "ldap" in text) == ("fail", True)
    door.slapd.start()


def test_codes_that_people_type_are_found_in_the_audit(door: FrontDoor) -> None:
    """A login leaves how far its code was off, which is what the clock is judged by."""
    app = door.enroll("alice")
    with door.daemon.channel() as channel:
        assert Person(channel).sign_in(app.fresh()).verdict == login_pb2.VERDICT_GRANTED
    with daemon_at(door.daemon.admin_socket) as daemon:
        rows = recent(daemon, "login.factor", ())
    assert [one.user for one in rows] == ["alice"]
    assert facts(rows[0].facts) in {-1, 0, 1}
