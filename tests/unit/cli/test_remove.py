"""``nightlatch credential remove``: behind a proof, or on the administrator's word."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1.admin_pb2 import RemoveCredentialRequest
from nightlatch.v1.enrollment_pb2 import BeginRemovalRequest, ConfirmRemovalRequest
from testbed.command import NIGHTLATCH, nightlatch, nightlatch_json, program
from testbed.fake_daemon import GOOD_CODE, LAST_ONE, WRONG_CODE, credential, device

if TYPE_CHECKING:
    from testbed.fake_daemon import FakeDaemon

REMOVE = ("credential", "remove", "alice")


def ids(daemon: FakeDaemon, user: str = "alice") -> list[str]:
    """What a person has left."""
    return [each.id for each in daemon.people[user]]


@pytest.mark.parametrize("beginning", ["c-1222", "c-12"])
def test_it_asks_for_the_proof_and_removes(daemon: FakeDaemon, beginning: str) -> None:
    """The id, or as much of it as is unique, is enough; the person proves the credential once more."""
    result = nightlatch(*REMOVE, beginning, "--socket", daemon.socket, typed=f"{GOOD_CODE}\n")
    assert result.exit_code == 0, result.output
    assert 'To remove "tablet" (totp' in result.stdout
    assert "Code from your authenticator app: " in result.stdout
    assert 'Removed "tablet"' in result.stdout
    assert ids(daemon) == ["c-1111"]
    assert daemon.asked[1:] == [
        BeginRemovalRequest(user="alice", credential_id="c-1222"),
        ConfirmRemovalRequest(ticket=b"alice c-1222", answer=GOOD_CODE.encode()),
    ]


def test_a_wrong_proof_is_asked_again_with_the_same_ticket(daemon: FakeDaemon) -> None:
    """Two mistakes are forgiven, in the daemon's words."""
    typed = f"1\n2\n{GOOD_CODE}\n"
    result = nightlatch(*REMOVE, "c-1111", "--socket", daemon.socket, typed=typed)
    assert result.exit_code == 0
    assert f"{WRONG_CODE} 2 more tries." in result.stdout
    assert f"{WRONG_CODE} 1 more try." in result.stdout
    tickets = {each.ticket for each in daemon.asked if isinstance(each, ConfirmRemovalRequest)}
    assert tickets == {b"alice c-1111"}


def test_three_wrong_proofs_end_it(daemon: FakeDaemon) -> None:
    """A fourth answer is not taken."""
    result = nightlatch(*REMOVE, "c-1111", "--socket", daemon.socket, typed=f"1\n2\n3\n{GOOD_CODE}\n")
    assert (result.exit_code, result.stderr) == (1, f"nightlatch: {WRONG_CODE}\n")
    assert daemon.answers() == [b"1", b"2", b"3"]
    assert len(ids(daemon)) == 2


@pytest.mark.parametrize(("typed", "words"), [("", "No answer"), ("\n", "No answer"), ("r\n", "again")])
def test_what_is_no_proof_is_not_sent(daemon: FakeDaemon, typed: str, words: str) -> None:
    """Nothing, an empty line and the wish for another message are no guesses, and do not count as such."""
    result = nightlatch(*REMOVE, "c-1111", "--socket", daemon.socket, typed=typed)
    assert result.exit_code == 1
    assert "Nothing was removed." in result.stderr
    assert words in result.stderr
    assert (daemon.answers(), len(ids(daemon))) == ([], 2)


def test_the_last_one_stays(daemon: FakeDaemon) -> None:
    """The daemon's words, and no question."""
    daemon.people["alice"].pop()
    result = nightlatch(*REMOVE, "c-1111", "--socket", daemon.socket, typed=f"{GOOD_CODE}\n")
    assert (result.exit_code, result.stderr) == (1, f"nightlatch: {LAST_ONE}\n")
    assert "Code from" not in result.stdout


def test_yes_does_not_stand_for_the_proof(daemon: FakeDaemon) -> None:
    """--yes answers for the administrator, never for the person."""
    assert nightlatch(*REMOVE, "c-1111", "--yes", "--socket", daemon.socket).exit_code == 1
    assert len(ids(daemon)) == 2


@pytest.mark.parametrize("code", [grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE])
def test_an_answer_that_was_not_judged_is_not_asked_again(daemon: FakeDaemon, code: grpc.StatusCode) -> None:
    """A pause or an outage is no wrong answer: it ends the command."""
    daemon.confirm_failure = (code, "Not now.")
    result = nightlatch(*REMOVE, "c-1111", "--socket", daemon.socket, typed="1\n2\n")
    assert "Not now." in result.stderr
    assert (daemon.answers(), len(ids(daemon))) == ([b"1"], 2)


def test_json_is_a_talk_of_lines(daemon: FakeDaemon) -> None:
    """What to ask, one line for each wrong answer, and what was removed."""
    asked, wrong, result = nightlatch_json(
        *REMOVE, "c-1111", "--socket", daemon.socket, typed=f"1\n{GOOD_CODE}\n"
    )
    assert asked["prompt"] == "Code from your authenticator app"
    assert wrong == {"confirmed": False, "message": WRONG_CODE, "tries_left": 2}
    assert isinstance(result["removed"], dict)
    assert result["removed"] == asked["credential"]
    assert result["removed"]["id"] == "c-1111"


def test_json_ends_in_an_error_when_it_fails(daemon: FakeDaemon) -> None:
    """The last line is the error, with gRPC's name for it and the exit code."""
    last = nightlatch_json(*REMOVE, "c-1111", "--socket", daemon.socket, typed="1\n2\n3\n")[-1]
    assert last == {"error": {"status": "PERMISSION_DENIED", "message": WRONG_CODE, "exit_code": 1}}


@pytest.mark.parametrize(("typed", "left"), [("y\n", 1), ("n\n", 2), ("\n", 2), ("", 2)])
def test_without_proof_it_asks_first(daemon: FakeDaemon, typed: str, left: int) -> None:
    """Only a clear yes removes; no, nothing and the end of the input keep."""
    result = nightlatch(*REMOVE, "c-1111", "--without-proof", "--socket", daemon.socket, typed=typed)
    assert 'Remove "phone"' in result.stdout
    assert "without proof?" in result.stdout
    assert len(ids(daemon)) == left
    assert result.exit_code == (0 if left == 1 else 1)


def test_without_proof_even_the_last_one_goes(daemon: FakeDaemon) -> None:
    """A phone is lost: the administrator's word is enough, and nothing is asked of the person."""
    daemon.people["alice"].pop()
    result = nightlatch(*REMOVE, "c-1", "--without-proof", "--yes", "--socket", daemon.socket)
    assert (result.exit_code, ids(daemon)) == (0, [])
    assert daemon.asked[-1] == RemoveCredentialRequest(user="alice", credential_id="c-1111")


def test_without_proof_as_json_asks_nothing(daemon: FakeDaemon) -> None:
    """A program must say --yes; then it gets what was removed."""
    arguments = (*REMOVE, "c-1111", "--without-proof", "--socket", daemon.socket)
    (refusal,) = nightlatch_json(*arguments)
    assert refusal["error"] == {
        "status": "",
        "message": "With --json nothing is asked: add --yes.",
        "exit_code": 2,
    }
    (answer,) = nightlatch_json(*arguments, "--yes")
    assert isinstance(answer["removed"], dict)
    assert answer["removed"]["id"] == "c-1111"


def test_a_device_has_nothing_to_prove(daemon: FakeDaemon) -> None:
    """A trusted device goes on the administrator's word, after a question."""
    daemon.people["alice"].append(device("d-1", "laptop"))
    arguments = (*REMOVE, "d-1", "--socket", daemon.socket)
    assert nightlatch(*arguments, typed="n\n").exit_code == 1
    result = nightlatch(*arguments, typed="y\n")
    assert 'Remove "laptop"' in result.stdout
    assert "proof" not in result.stdout
    assert (result.exit_code, ids(daemon)) == (0, ["c-1111", "c-1222"])


def test_an_id_that_begins_another_is_exact(daemon: FakeDaemon) -> None:
    """An exact id is never ambiguous."""
    daemon.people["bob"] = [credential("c-1"), credential("c-11")]
    arguments = ("credential", "remove", "bob", "c-1", "--without-proof", "-y", "--socket", daemon.socket)
    assert nightlatch(*arguments).exit_code == 0
    assert ids(daemon, "bob") == ["c-11"]


@pytest.mark.parametrize(
    ("beginning", "exit_code", "words"),
    [("c-1", 2, "2 credentials"), ("x", 1, "no credential x"), ("", 1, "no credential")],
)
def test_what_is_not_exactly_one_is_refused(
    daemon: FakeDaemon, beginning: str, exit_code: int, words: str
) -> None:
    """An ambiguous beginning, an unknown id and an empty one (an unset variable) remove nothing."""
    arguments = (*REMOVE, beginning, "--without-proof", "--yes", "--socket", daemon.socket)
    result = nightlatch(*arguments)
    assert result.exit_code == exit_code
    assert words in result.stderr
    assert len(ids(daemon)) == 2


def test_the_installed_program_asks_and_removes(daemon: FakeDaemon) -> None:
    """A real process does the same, at a prompt and without proof."""
    proven = program(NIGHTLATCH, *REMOVE, "c-1111", "--socket", daemon.socket, typed=f"{GOOD_CODE}\n")
    assert proven.returncode == 0, proven.stderr
    word = program(NIGHTLATCH, *REMOVE, "c-1222", "--without-proof", "--socket", daemon.socket, typed="y\n")
    assert word.returncode == 0, word.stderr
    assert ids(daemon) == []


def test_a_script_can_remove(daemon: FakeDaemon) -> None:
    """A real process prints the first line before it wants the answer."""
    argv = [*REMOVE, "c-1111", "--json", "--socket", str(daemon.socket)]
    with subprocess.Popen(
        [NIGHTLATCH, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["credential"]["id"] == "c-1111"
        child.stdin.write(f"{GOOD_CODE}\n")
        child.stdin.flush()
        assert json.loads(child.stdout.readline())["removed"]["id"] == "c-1111"
    assert child.returncode == 0
