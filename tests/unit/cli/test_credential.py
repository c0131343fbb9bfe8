"""``nightlatch credential list`` and ``remove``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from testbed.command import NIGHTLATCH, nightlatch, nightlatch_json, program
from testbed.fake_daemon import credential

if TYPE_CHECKING:
    from testbed.fake_daemon import FakeDaemon


def test_list_names_the_account_and_every_credential(daemon: FakeDaemon) -> None:
    """The table tells whose they are, and of each the id, factor, label and times."""
    result = nightlatch("credential", "list", "alice", "--socket", daemon.socket)
    assert result.exit_code == 0
    assert "alice (corp)" in result.stdout
    first, second = [line for line in result.stdout.splitlines() if line.startswith("c-")]
    assert first.split()[:3] == ["c-1111", "totp", "phone"]
    assert first.rstrip().endswith("never")
    assert "2026-02-02" in second


def test_list_says_so_when_there_is_none(daemon: FakeDaemon) -> None:
    """A person without a credential is no error."""
    result = nightlatch("credential", "list", "bob", "--socket", daemon.socket)
    assert (result.exit_code, result.stdout) == (0, "bob (corp) has no credential yet.\n")


def test_list_as_json(daemon: FakeDaemon) -> None:
    """One JSON object, with times in UTC and null for never."""
    (answer,) = nightlatch_json("credential", "list", "alice", "--socket", daemon.socket)
    assert answer["account"] == {"directory": "corp", "stable_id": "id-of-alice", "name": "alice"}
    assert answer["credentials"] == [
        {
            "id": "c-1111",
            "factor": "totp",
            "label": "phone",
            "create_time": "2026-02-02T12:00:00Z",
            "last_use_time": None,
        },
        {
            "id": "c-1222",
            "factor": "totp",
            "label": "tablet",
            "create_time": "2026-02-02T12:00:00Z",
            "last_use_time": "2026-02-02T12:01:00Z",
        },
    ]


def test_unknown_person_is_refused_in_the_daemons_words(daemon: FakeDaemon) -> None:
    """Exit code 1, the daemon's sentence on stderr, nothing on stdout."""
    result = nightlatch("credential", "list", "mallory", "--socket", daemon.socket)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "nightlatch: No directory knows mallory.\n"


def test_a_label_can_not_play_with_the_terminal(daemon: FakeDaemon) -> None:
    """AUD-02: escape sequences and markup in a label are shown as text."""
    daemon.people["bob"].append(credential("c-9", "\x1b]0;owned\x07[red]x[/red]"))
    result = nightlatch("credential", "list", "bob", "--socket", daemon.socket)
    assert "\x1b" not in result.stdout
    assert "\x07" not in result.stdout
    assert "[red]x[/red]" in result.stdout


@pytest.mark.parametrize("beginning", ["c-1222", "c-12"])
def test_remove_takes_the_beginning_of_an_id(daemon: FakeDaemon, beginning: str) -> None:
    """An id, or as much of it as is unique, is enough."""
    result = nightlatch("credential", "remove", "alice", beginning, "--yes", "--socket", daemon.socket)
    assert result.exit_code == 0
    assert 'Removed "tablet"' in result.stdout
    assert [each.id for each in daemon.people["alice"]] == ["c-1111"]


def test_remove_takes_an_id_that_begins_another(daemon: FakeDaemon) -> None:
    """An exact id is never ambiguous."""
    daemon.people["bob"] = [credential("c-1"), credential("c-11")]
    assert nightlatch("credential", "remove", "bob", "c-1", "-y", "--socket", daemon.socket).exit_code == 0
    assert [each.id for each in daemon.people["bob"]] == ["c-11"]


@pytest.mark.parametrize(
    ("beginning", "exit_code", "words"), [("c-1", 2, "2 credentials"), ("x", 1, "no credential x")]
)
def test_remove_refuses_what_is_not_exactly_one(
    daemon: FakeDaemon, beginning: str, exit_code: int, words: str
) -> None:
    """An ambiguous beginning and an unknown id remove nothing."""
    result = nightlatch("credential", "remove", "alice", beginning, "--yes", "--socket", daemon.socket)
    assert result.exit_code == exit_code
    assert words in result.stderr
    assert len(daemon.people["alice"]) == 2


def test_remove_refuses_an_empty_id(daemon: FakeDaemon) -> None:
    """An empty id, as an unset variable of a script gives it, begins nothing."""
    daemon.people["alice"].pop()
    assert nightlatch("credential", "remove", "alice", "", "--yes", "--socket", daemon.socket).exit_code == 1
    assert len(daemon.people["alice"]) == 1


@pytest.mark.parametrize(("typed", "left"), [("y\n", 1), ("n\n", 2), ("\n", 2), ("", 2)])
def test_remove_asks_first(daemon: FakeDaemon, typed: str, left: int) -> None:
    """Only a clear yes removes; no, nothing and the end of the input keep."""
    result = nightlatch("credential", "remove", "alice", "c-1111", "--socket", daemon.socket, typed=typed)
    assert 'Remove "phone"' in result.stdout
    assert len(daemon.people["alice"]) == left
    assert result.exit_code == (0 if left == 1 else 1)


def test_remove_as_json_asks_nothing(daemon: FakeDaemon) -> None:
    """A program must say --yes; then it gets what was removed."""
    arguments = ("credential", "remove", "alice", "c-1111", "--socket", daemon.socket)
    (refusal,) = nightlatch_json(*arguments)
    assert refusal["error"] == {
        "status": "",
        "message": "With --json nothing is asked: add --yes.",
        "exit_code": 2,
    }
    (answer,) = nightlatch_json(*arguments, "--yes")
    assert isinstance(answer["removed"], dict)
    assert answer["removed"]["id"] == "c-1111"


def test_the_installed_program_lists_and_removes(daemon: FakeDaemon) -> None:
    """A real process does the same."""
    listed = program(NIGHTLATCH, "credential", "list", "alice", "--json", "--socket", daemon.socket)
    assert [each["id"] for each in json.loads(listed.stdout)["credentials"]] == ["c-1111", "c-1222"]
    removed = program(
        NIGHTLATCH, "credential", "remove", "alice", "c-1111", "--socket", daemon.socket, typed="y\n"
    )
    assert removed.returncode == 0, removed.stderr
    assert len(daemon.people["alice"]) == 1
