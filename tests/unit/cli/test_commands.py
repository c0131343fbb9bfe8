"""``nightlatch status``, ``admin user unlock``, ``key create``, and what all commands have."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from nightlatch.cli.main import build
from nightlatch.v1.admin_pb2 import Part
from testbed.command import NIGHTLATCH, nightlatch, nightlatch_json, program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.fake_daemon import FakeDaemon

REFERENCE = Path(__file__).parents[3] / "docs" / "commands.md"


def test_status_of_a_daemon_that_is_well(daemon: FakeDaemon) -> None:
    """Exit code 0, the version, and a line for each part."""
    result = nightlatch("status", "--socket", daemon.socket)
    assert result.exit_code == 0
    assert result.stdout.startswith("nightlatchd 9.9.9, serving since 2026-02-02")
    assert re.search(r"^ok +store +sqlite +3.40 *$", result.stdout, re.MULTILINE)


def test_status_of_a_daemon_with_a_broken_part(daemon: FakeDaemon) -> None:
    """Exit code 1, and the word "fail" beside the part: colour is never the only sign."""
    daemon.parts.append(Part(kind="directory", name="corp", healthy=False, detail="ldaps://dc1 is away"))
    result = nightlatch("status", "--socket", daemon.socket)
    assert result.exit_code == 1
    assert re.search(r"^fail +directory +corp +ldaps://dc1 is away", result.stdout, re.MULTILINE)


def test_status_as_json(daemon: FakeDaemon) -> None:
    """One object with every part."""
    (answer,) = nightlatch_json("status", "--socket", daemon.socket)
    assert answer == {
        "version": "9.9.9",
        "start_time": "2026-02-02T12:00:00Z",
        "parts": [{"kind": "store", "name": "sqlite", "healthy": True, "detail": "3.40"}],
    }


def test_unlock_tells_what_was_forgotten(daemon: FakeDaemon) -> None:
    """A person's failures, by number, for people and for programs."""
    result = nightlatch("admin", "user", "unlock", "bob", "--socket", daemon.socket)
    assert (result.exit_code, result.stdout) == (
        0,
        "bob (corp) may try again: 7 failures in a row forgotten.\n",
    )
    (answer,) = nightlatch_json("admin", "user", "unlock", "bob", "--socket", daemon.socket)
    assert answer["forgotten_failures"] == 7


def test_key_create_makes_a_key_once(tmp_path: Path) -> None:
    """STO-02, STO-05: 32 bytes, mode 0600, and never over another key."""
    path = tmp_path / "master.key"
    assert nightlatch("key", "create", path).exit_code == 0
    key = path.read_bytes()
    assert (len(key), path.stat().st_mode & 0o777) == (32, 0o600)
    again = nightlatch("key", "create", path)
    assert again.exit_code == 1
    assert "exists already" in again.stderr
    assert path.read_bytes() == key


def test_key_create_says_why_it_can_not(tmp_path: Path) -> None:
    """A missing folder is told, as JSON too."""
    (answer,) = nightlatch_json("key", "create", tmp_path / "none" / "master.key")
    assert isinstance(answer["error"], dict)
    assert "No such file or directory" in str(answer["error"]["message"])


def test_keys_differ(tmp_path: Path) -> None:
    """Two keys are never the same."""
    for name in ("a", "b"):
        nightlatch("key", "create", tmp_path / name)
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


def test_wrong_use_is_exit_code_2() -> None:
    """Unknown commands and missing arguments."""
    assert nightlatch("statuss").exit_code == 2
    assert nightlatch("credential", "enroll", "totp").exit_code == 2


def test_the_installed_programs_answer(daemon: FakeDaemon, tmp_path: Path) -> None:
    """Real processes: version, status, unlock and key."""
    assert program(NIGHTLATCH, "--version").stdout.startswith("nightlatch ")
    status = program(NIGHTLATCH, "status", "--json", "--socket", daemon.socket)
    assert json.loads(status.stdout)["version"] == "9.9.9"
    assert program(NIGHTLATCH, "admin", "user", "unlock", "bob", "--socket", daemon.socket).returncode == 0
    assert program(NIGHTLATCH, "key", "create", tmp_path / "k").returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell: str) -> None:
    """`--install-completion` is there, and completion knows the groups."""
    shown = nightlatch("--help").stdout
    assert "--install-completion" in shown
    env = {"_NIGHTLATCH_COMPLETE": f"source_{shell}"}
    assert "nightlatch" in nightlatch(env=env).stdout


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("nightlatch dev", {"device"}),
        ("nightlatch device r", {"rename", "revoke"}),
        ("nightlatch channel t", {"test"}),
        ("nightlatch credential remove --w", {"--without-proof"}),
    ],
)
def test_completion_knows_what_may_follow(typed: str, words: set[str]) -> None:
    """What bash is told when a word is begun."""
    env = {
        "_NIGHTLATCH_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(typed.count(" ")),
    }
    assert set(nightlatch(env=env).stdout.split()) == words


@pytest.mark.parametrize("words", ["credential remove", "device revoke", "channel test", "device list"])
def test_every_command_explains_itself(words: str) -> None:
    """--help tells what it does and what its exit codes mean."""
    shown = nightlatch(*words.split(), "--help")
    assert (shown.exit_code, "Exit codes:" in shown.stdout) == (0, True)


def test_every_command_and_option_has_its_place_in_the_reference() -> None:
    """docs/commands.md names each command, its arguments and its options."""
    text = REFERENCE.read_text()
    missing = [
        word
        for words in _words(typer.main.get_command(build()), "nightlatch")
        for word in words
        if word not in text
    ]
    assert missing == []


def test_the_list_of_commands_tells_of_each_what_it_says_itself() -> None:
    """The line of a command in `nightlatch --help` is the first of its own help."""
    whole = typer.main.get_command(build())
    assert isinstance(whole, TyperGroup)
    lines = {name: line.help for name, line in whole.commands.items()}
    assert lines == {name: command.help.partition("\n\n")[0] for name, command in _below(whole)}
    assert len(lines) > 10


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (["--help"], {}),
        (["--version"], {}),
        ([], {"_NIGHTLATCH_COMPLETE": "complete_bash", "COMP_WORDS": "nightlatch ", "COMP_CWORD": "1"}),
    ],
    ids=["help", "version", "completion"],
)
def test_who_asks_what_there_is_waits_for_no_command(arguments: list[str], env: dict[str, str]) -> None:
    """Nothing that a command alone needs is imported for the list, the version or a Tab."""
    script = (
        "import atexit, sys; from nightlatch.cli.main import run; sys.argv[0] = 'nightlatch'\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); run()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(ran.stderr.split())
    assert "nightlatch" in ran.stdout or "credential" in ran.stdout
    assert {each for each in imported if each.startswith("nightlatch")} == {
        "nightlatch",
        "nightlatch.cli",
        "nightlatch.cli.main",
        "nightlatch.cli.options",
    }
    assert not imported & {"cryptography", "google.protobuf", "grpc", "httpx", "ldap3", "sqlalchemy"}


def _below(command: object) -> Iterator[tuple[str, Any]]:
    """The commands of a group, each as whoever calls it gets it."""
    if isinstance(command, TyperGroup):
        for name in command.commands:
            yield name, command.resolve_command(typer.Context(command), [name])[1]


def _words(command: object, name: str) -> Iterator[list[str]]:
    """What the reference must say of a command, or of those below it."""
    for word, inner in _below(command):
        yield from _words(inner, f"{name} {word}")
    if isinstance(command, TyperCommand):
        options = [option for each in command.params for option in each.opts if option.startswith("--")]
        yield [f"### {name}", *options]
