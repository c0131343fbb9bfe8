"""``nightlatch credential list`` and ``rename``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nightlatch.v1.admin_pb2 import RenameCredentialRequest
from testbed.command import NIGHTLATCH, nightlatch, nightlatch_json, program
from testbed.fake_daemon import credential, device

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
            "expire_time": None,
            "hold_end_time": None,
        },
        {
            "id": "c-1222",
            "factor": "totp",
            "label": "tablet",
            "create_time": "2026-02-02T12:00:00Z",
            "last_use_time": "2026-02-02T12:01:00Z",
            "expire_time": None,
            "hold_end_time": None,
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


def test_list_leaves_devices_to_their_own_command(daemon: FakeDaemon) -> None:
    """A trusted device is no way to sign in: it is counted, and listed elsewhere."""
    daemon.people["bob"] = [device("d-1", "laptop")]
    daemon.people["alice"] += [device("d-1", "laptop"), device("d-2", "desk")]
    alone = nightlatch("credential", "list", "bob", "--socket", daemon.socket)
    assert alone.stdout.splitlines() == [
        "bob (corp) has no credential yet.",
        "And 1 trusted device: see nightlatch device list.",
    ]
    both = nightlatch("credential", "list", "alice", "--socket", daemon.socket)
    assert "laptop" not in both.stdout
    assert both.stdout.endswith("And 2 trusted devices: see nightlatch device list.\n")
    (answer,) = nightlatch_json("credential", "list", "bob", "--socket", daemon.socket)
    assert answer["credentials"] == []


def test_rename_tells_both_names(daemon: FakeDaemon) -> None:
    """The beginning of an id is enough; the credential is told by its old name and its new one."""
    result = nightlatch("credential", "rename", "alice", "c-12", "old tablet", "--socket", daemon.socket)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith('"tablet" (totp, added 2026-02-02')
    assert result.stdout.endswith('of alice (corp) is now called "old tablet".\n')
    assert daemon.asked[-1] == RenameCredentialRequest(
        user="alice", credential_id="c-1222", label="old tablet"
    )


def test_rename_as_json(daemon: FakeDaemon) -> None:
    """The credential under its new name; a name that the daemon does not take is wrong use."""
    arguments = ("credential", "rename", "alice", "c-1111")
    (answer,) = nightlatch_json(*arguments, "work phone", "--socket", daemon.socket)
    assert isinstance(answer["credential"], dict)
    assert (answer["credential"]["id"], answer["credential"]["label"]) == ("c-1111", "work phone")
    (refusal,) = nightlatch_json(*arguments, "", "--socket", daemon.socket)
    assert isinstance(refusal["error"], dict)
    assert (refusal["error"]["status"], refusal["error"]["exit_code"]) == ("INVALID_ARGUMENT", 2)


def test_rename_knows_only_what_is_there(daemon: FakeDaemon) -> None:
    """An unknown id renames nothing."""
    result = nightlatch("credential", "rename", "alice", "x", "name", "--socket", daemon.socket)
    assert (result.exit_code, "no credential x" in result.stderr) == (1, True)


def test_the_installed_program_lists_and_renames(daemon: FakeDaemon) -> None:
    """A real process does the same."""
    renamed = program(
        NIGHTLATCH, "credential", "rename", "alice", "c-1111", "Telefon für alles", "--socket", daemon.socket
    )
    assert renamed.returncode == 0, renamed.stderr
    listed = program(NIGHTLATCH, "credential", "list", "alice", "--json", "--socket", daemon.socket)
    assert [(each["id"], each["label"]) for each in json.loads(listed.stdout)["credentials"]] == [
        ("c-1111", "Telefon für alles"),
        ("c-1222", "tablet"),
    ]
