"""How the command line reaches the daemon, and what it says when it does not."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import grpc
import pytest

from testbed.command import nightlatch, nightlatch_json
from testbed.fake_daemon import FakeDaemon, serving

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = 65534


def test_no_daemon(tmp_path: Path) -> None:
    """A missing socket is exit code 3, with what to look at."""
    result = nightlatch("status", "--socket", tmp_path / "none.sock")
    assert result.exit_code == 3
    assert "There is no daemon at" in result.stderr
    assert "systemctl status nightlatchd" in result.stderr


def test_a_daemon_that_has_gone(tmp_path: Path) -> None:
    """A socket that nobody listens on is exit code 3."""
    path = tmp_path / "left.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    result = nightlatch("status", "--socket", path)
    assert (result.exit_code, result.stderr.startswith("nightlatch: Nobody answers at")) == (3, True)


def test_what_is_no_socket(tmp_path: Path) -> None:
    """A file is wrong use."""
    path = tmp_path / "file"
    path.touch()
    assert nightlatch("status", "--socket", path).exit_code == 2


def test_a_link_is_no_socket(daemon: FakeDaemon, tmp_path: Path) -> None:
    """MUST 1: a symbolic link could be turned to another socket after the look at it."""
    link = tmp_path / "link.sock"
    link.symlink_to(daemon.socket)
    assert nightlatch("status", "--socket", link).exit_code == 2
    assert daemon.asked == []


def test_a_strangers_socket_gets_nothing(daemon: FakeDaemon) -> None:
    """MUST 1: nothing is sent to a socket of another user."""
    os.chown(daemon.socket, NOBODY, NOBODY)
    result = nightlatch("credential", "enroll", "totp", "alice", "--socket", daemon.socket, typed="492039\n")
    assert result.exit_code == 1
    assert "belongs to uid 65534" in result.stderr
    assert daemon.asked == []


def test_a_strangers_folder_gets_nothing(daemon: FakeDaemon, tmp_path: Path) -> None:
    """MUST 1: who owns the folder could put another socket there."""
    os.chown(tmp_path, NOBODY, NOBODY)
    assert nightlatch("status", "--socket", daemon.socket).exit_code == 1
    assert daemon.asked == []


@pytest.mark.parametrize(("mode", "exit_code"), [(0o777, 1), (0o770, 1), (0o1777, 0), (0o755, 0)])
def test_a_folder_that_others_may_write(
    daemon: FakeDaemon, tmp_path: Path, mode: int, exit_code: int
) -> None:
    """MUST 1: others must not be able to replace the socket; a sticky folder keeps them from it."""
    tmp_path.chmod(mode)
    assert nightlatch("status", "--socket", daemon.socket).exit_code == exit_code


def test_any_path_is_reached(tmp_path: Path) -> None:
    """Spaces, percent and question marks in a path are no part of a URI."""
    with serving(FakeDaemon(tmp_path / "plain.sock")) as fake:
        odd = tmp_path / "a b%20?#"
        odd.mkdir()
        fake.socket.rename(odd / "admin.sock")
        assert nightlatch("status", "--socket", odd / "admin.sock").exit_code == 0


def test_the_environment_does_not_say_where_the_daemon_is(daemon: FakeDaemon) -> None:
    """PRV-03, MUST 2: neither variables of our own name nor proxies have a say."""
    env = {
        "NIGHTLATCH_SOCKET": "/nowhere",
        "SOCKET": "/nowhere",
        "http_proxy": "http://127.0.0.1:9",
        "grpc_proxy": "x",
    }
    assert nightlatch("status", "--socket", daemon.socket, env=env).exit_code == 0


@pytest.mark.parametrize(
    ("code", "exit_code", "words"),
    [
        (grpc.StatusCode.NOT_FOUND, 1, "Words of the daemon."),
        (grpc.StatusCode.FAILED_PRECONDITION, 1, "Words of the daemon."),
        (grpc.StatusCode.PERMISSION_DENIED, 1, "Words of the daemon."),
        (grpc.StatusCode.UNAUTHENTICATED, 1, "Words of the daemon."),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 1, "Words of the daemon."),
        (grpc.StatusCode.INVALID_ARGUMENT, 2, "Words of the daemon."),
        (grpc.StatusCode.UNAVAILABLE, 3, "The daemon can not do this now: Words of the daemon."),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 3, "did not answer in time"),
        (grpc.StatusCode.UNIMPLEMENTED, 3, "another version"),
        (grpc.StatusCode.INTERNAL, 3, "Words of the daemon."),
        (grpc.StatusCode.UNKNOWN, 3, "Words of the daemon."),
    ],
)
def test_every_status_has_words_and_an_exit_code(
    daemon: FakeDaemon, code: grpc.StatusCode, exit_code: int, words: str
) -> None:
    """1 refused, 2 wrong use, 3 not available; the same as JSON."""
    daemon.failure = (code, "Words of the daemon.")
    result = nightlatch("status", "--socket", daemon.socket)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert words in result.stderr
    (answer,) = nightlatch_json("status", "--socket", daemon.socket)
    assert isinstance(answer["error"], dict)
    assert (answer["error"]["status"], answer["error"]["exit_code"]) == (code.name, exit_code)


def test_the_daemons_words_can_not_play_with_the_terminal(daemon: FakeDaemon) -> None:
    """AUD-02: control characters in an error are not passed on."""
    daemon.failure = (grpc.StatusCode.NOT_FOUND, "No \x1b[2Jname")
    assert "\x1b" not in nightlatch("status", "--socket", daemon.socket).stderr
