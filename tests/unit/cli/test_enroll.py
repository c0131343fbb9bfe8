"""``nightlatch credential enroll``: show once, ask, and count only what was right."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pexpect
import pytest

from nightlatch.v1.enrollment_pb2 import BeginEnrollmentRequest, ConfirmEnrollmentRequest
from testbed.command import NIGHTLATCH, nightlatch, nightlatch_json
from testbed.fake_daemon import GOOD_CODE, SECRET
from testbed.qr import code_lines, columns, decode
from testbed.terminal import at_a_terminal

if TYPE_CHECKING:
    from testbed.fake_daemon import FakeDaemon

TERMINAL = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
GROUPED = "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"


def test_it_shows_asks_and_counts(daemon: FakeDaemon, tmp_path: Path) -> None:
    """QR code, secret in groups of four, then a code; the right one makes the credential count."""
    arguments = ("credential", "enroll", "totp", "alice", "--label", "phone", "--socket", daemon.socket)
    result = nightlatch(*arguments, typed=f"{GOOD_CODE}\n")
    assert result.exit_code == 0, result.output
    assert decode(code_lines(result.stdout), tmp_path) == daemon.qr_payload
    assert f"secret   {GROUPED}" in result.stdout
    assert "account  example.com: alice" in result.stdout
    assert "Code from your authenticator app: " in result.stdout
    assert "Done." in result.stdout
    assert max(columns(line) for line in result.stdout.partition("Code from")[0].splitlines()) <= 80
    begin, confirm = daemon.asked
    assert begin == BeginEnrollmentRequest(user="alice", factor="totp", label="phone")
    assert confirm == ConfirmEnrollmentRequest(ticket=b"sealed", answer=GOOD_CODE.encode())


def test_a_wrong_code_is_asked_again(daemon: FakeDaemon) -> None:
    """Two mistakes are forgiven, with words for each."""
    typed = f"000000\n  111111 \n{GOOD_CODE}\n"
    result = nightlatch("credential", "enroll", "totp", "alice", "--socket", daemon.socket, typed=typed)
    assert result.exit_code == 0
    assert "That code was not right. 2 more tries." in result.stdout
    assert "That code was not right. 1 more try." in result.stdout
    assert daemon.answers() == [b"000000", b"111111", GOOD_CODE.encode()]


def test_three_wrong_codes_end_it(daemon: FakeDaemon) -> None:
    """A fourth code is not taken, and it is said that nothing was stored."""
    typed = f"1\n2\n3\n{GOOD_CODE}\n"
    result = nightlatch("credential", "enroll", "totp", "alice", "--socket", daemon.socket, typed=typed)
    assert result.exit_code == 1
    assert "Nothing was stored" in result.stderr
    assert len(daemon.answers()) == 3


def test_no_answer_stores_nothing(daemon: FakeDaemon) -> None:
    """The end of the input is no code."""
    result = nightlatch("credential", "enroll", "totp", "alice", "--socket", daemon.socket)
    assert result.exit_code == 1
    assert "Nothing was stored" in result.stderr
    assert daemon.answers() == []


def test_secrets_go_to_standard_output_alone(daemon: FakeDaemon) -> None:
    """LEK-01: neither the secret nor the code is in what is logged or said about errors."""
    result = nightlatch("credential", "enroll", "totp", "alice", "--socket", daemon.socket, typed="1\n2\n3\n")
    assert GROUPED in result.stdout
    assert SECRET not in result.stderr
    assert GROUPED not in result.stderr


def test_a_code_that_does_not_fit_is_not_drawn(daemon: FakeDaemon) -> None:
    """Then the details are what to type by hand."""
    daemon.qr_payload = "otpauth://totp/" + "x" * 600
    typed = f"{GOOD_CODE}\n"
    result = nightlatch("credential", "enroll", "totp", "alice", "--socket", daemon.socket, typed=typed)
    assert result.exit_code == 0
    assert code_lines(result.stdout) == []
    assert GROUPED in result.stdout
    assert "more than 80 columns" in result.stdout


def test_a_factor_without_a_code_to_scan(daemon: FakeDaemon) -> None:
    """A factor may show words alone."""
    daemon.qr_payload = ""
    typed = f"{GOOD_CODE}\n"
    result = nightlatch("credential", "enroll", "anything", "alice", "--socket", daemon.socket, typed=typed)
    assert result.exit_code == 0
    assert "Scan" not in result.stdout


@pytest.mark.parametrize("typed", ["\n", " \n", "r\n", "Resend\n"])
def test_what_is_no_code_is_not_sent(daemon: FakeDaemon, typed: str) -> None:
    """An empty line, and the wish for another message (unknown at an enrolment), end it with words."""
    result = nightlatch("credential", "enroll", "totp", "alice", "--socket", daemon.socket, typed=typed)
    assert result.exit_code == 1
    assert "Nothing was stored." in result.stderr
    assert daemon.answers() == []


def test_json_is_a_talk_of_lines(daemon: FakeDaemon) -> None:
    """What to show, one line for each wrong code, and the result."""
    arguments = ("credential", "enroll", "totp", "alice", "--socket", daemon.socket)
    shown, wrong, result = nightlatch_json(*arguments, typed=f"1\n{GOOD_CODE}\n")
    assert shown["qr_payload"] == daemon.qr_payload
    assert shown["details"] == [
        {"name": "account", "value": "example.com: alice"},
        {"name": "secret", "value": GROUPED},
    ]
    assert wrong == {"confirmed": False, "message": "That code was not right.", "tries_left": 2}
    assert result == {"confirmed": True, "credential_id": "c-new"}


def test_json_ends_in_an_error_when_it_fails(daemon: FakeDaemon) -> None:
    """The last line is the error, with gRPC's name for it and the exit code."""
    last = nightlatch_json(
        "credential", "enroll", "totp", "alice", "--socket", daemon.socket, typed="1\n2\n3\n"
    )[-1]
    assert isinstance(last["error"], dict)
    assert (last["error"]["status"], last["error"]["exit_code"]) == ("PERMISSION_DENIED", 1)


def test_an_enrolment_that_waited_too_long_is_told(daemon: FakeDaemon) -> None:
    """A ticket that has expired is not a wrong code: it is not asked again."""
    daemon.failure = (grpc.StatusCode.FAILED_PRECONDITION, "This took more than 10 minutes. Begin again.")
    result = nightlatch("credential", "enroll", "totp", "alice", "--socket", daemon.socket, typed="1\n2\n3\n")
    assert (result.exit_code, result.stderr) == (
        1,
        "nightlatch: This took more than 10 minutes. Begin again.\n",
    )


def test_a_script_can_enrol(daemon: FakeDaemon) -> None:
    """A real process prints the first line before it wants the code."""
    argv = ["credential", "enroll", "totp", "alice", "--json", "--socket", str(daemon.socket)]
    with subprocess.Popen(
        [NIGHTLATCH, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["qr_payload"] == daemon.qr_payload
        child.stdin.write(f"{GOOD_CODE}\n")
        child.stdin.flush()
        assert json.loads(child.stdout.readline())["confirmed"] is True
    assert child.returncode == 0


@pytest.mark.parametrize("colours", [{}, {"NO_COLOR": "1"}])
def test_a_person_at_a_terminal(daemon: FakeDaemon, tmp_path: Path, colours: dict[str, str]) -> None:
    """LEK-02: on a terminal of 80 columns the code reads, coloured or with NO_COLOR; no secret is in argv."""
    argv = [str(NIGHTLATCH), "credential", "enroll", "totp", "alice", "--socket", str(daemon.socket)]
    with at_a_terminal(argv, {**TERMINAL, **colours}, 80) as (terminal, program):
        terminal.expect_exact("authenticator app: ")
        lines = code_lines(terminal.before or "")
        command_line = Path(f"/proc/{program.pid}/cmdline").read_bytes()
        terminal.sendline(GOOD_CODE)
        terminal.expect_exact("Done.")
        terminal.expect(pexpect.EOF)
    assert program.returncode == 0
    assert ("\x1b[" in lines[0]) is not bool(colours)
    assert decode(lines, tmp_path) == daemon.qr_payload
    assert max(columns(line) for line in lines) <= 80
    assert SECRET.encode() not in command_line
    assert GOOD_CODE.encode() not in command_line


def test_the_details_stand_beside_the_code_in_a_wide_window(daemon: FakeDaemon) -> None:
    """120 columns have room for both."""
    argv = [str(NIGHTLATCH), "credential", "enroll", "totp", "alice", "--socket", str(daemon.socket)]
    with at_a_terminal(argv, {**TERMINAL, "NO_COLOR": "1"}, 120) as (terminal, program):
        terminal.expect_exact("authenticator app: ")
        beside = [line for line in code_lines(terminal.before or "") if GROUPED in line]
        terminal.sendline(GOOD_CODE)
        terminal.expect(pexpect.EOF)
    assert program.returncode == 0
    assert len(beside) == 1


def test_a_terminal_without_utf_8(daemon: FakeDaemon) -> None:
    """No half blocks are written where they can not be shown; the words are enough."""
    env = {"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin"}
    argv = [str(NIGHTLATCH), "credential", "enroll", "totp", "alice", "--socket", str(daemon.socket)]
    run = subprocess.run(
        argv, env=env, input=f"{GOOD_CODE}\n".encode(), capture_output=True, timeout=30, check=False
    )
    assert run.returncode == 0, run.stderr
    assert GROUPED.encode() in run.stdout
    assert b"????" not in run.stdout


def test_bytes_that_are_no_text(daemon: FakeDaemon) -> None:
    """A name that is not UTF-8 is wrong use; an answer that is not goes to the daemon as it was typed."""
    argv = [b"credential", b"enroll", b"totp", b"ali\xffce", b"--socket", bytes(daemon.socket)]
    run = subprocess.run([bytes(NIGHTLATCH), *argv], capture_output=True, timeout=30, check=False)
    assert run.returncode == 2, run.stderr
    assert daemon.asked == []
    argv[3] = b"alice"
    run = subprocess.run(
        [bytes(NIGHTLATCH), *argv], input=b"\xff\n", capture_output=True, timeout=30, check=False
    )
    assert daemon.answers() == [b"\xff"]
    assert run.returncode == 1
