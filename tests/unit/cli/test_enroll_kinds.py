"""``nightlatch credential enroll`` for factors without a code to scan: sent codes and printed ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1.enrollment_pb2 import BeginEnrollmentRequest
from testbed.command import NIGHTLATCH, nightlatch, nightlatch_json, program
from testbed.fake_daemon import GOOD_CODE

if TYPE_CHECKING:
    from testbed.fake_daemon import FakeDaemon

CODES = tuple((f"code {number}", f"JBSW Y3DP EHPK {number:04}") for number in range(1, 11))
SMS = ("credential", "enroll", "sms", "alice", "--address", "+1 415 555 0142")
RECOVERY = ("credential", "enroll", "recovery", "alice")


@pytest.fixture
def sending(daemon: FakeDaemon) -> FakeDaemon:
    """A daemon whose factor sends a code and shows nothing."""
    daemon.qr_payload, daemon.prompt = "", "Code sent to •••• 42, valid 5 minutes:"
    return daemon


@pytest.fixture
def printing(daemon: FakeDaemon) -> FakeDaemon:
    """A daemon whose factor has codes to print, and nothing to confirm."""
    daemon.qr_payload, daemon.details, daemon.counts_at_once = "", CODES, True
    return daemon


def test_a_sent_code_is_only_asked_for(sending: FakeDaemon) -> None:
    """Nothing but the prompt is shown, and the address goes to the daemon as it was typed."""
    result = nightlatch(*SMS, "--socket", sending.socket, typed=f"{GOOD_CODE}\n")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Code sent to •••• 42, valid 5 minutes: Done.")
    assert sending.asked[0] == BeginEnrollmentRequest(user="alice", factor="sms", address="+1 415 555 0142")
    assert sending.answers() == [GOOD_CODE.encode()]


def test_three_wrong_sent_codes_do_not_blame_a_clock(sending: FakeDaemon) -> None:
    """What to do next fits a code that was sent."""
    result = nightlatch(*SMS, "--socket", sending.socket, typed="1\n2\n3\n")
    assert result.exit_code == 1
    assert "Nothing was stored. Enrol again for a new code." in result.stderr
    assert "clock" not in result.stderr


def test_a_sent_code_as_json(sending: FakeDaemon) -> None:
    """The same lines as for every factor, with nothing in them to draw."""
    shown, result = nightlatch_json(*SMS, "--socket", sending.socket, typed=f"{GOOD_CODE}\n")
    assert (shown["qr_payload"], shown["details"]) == ("", [])
    assert str(shown["prompt"]).startswith("Code sent to")
    assert result == {"confirmed": True, "credential_id": "c-new"}


def test_printed_codes_are_a_numbered_block(printing: FakeDaemon) -> None:
    """Each code on its line behind its number, nothing asked, nothing sent, and it counts."""
    result = nightlatch(*RECOVERY, "--socket", printing.socket)
    assert result.exit_code == 0, result.output
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines[0] == "Print this or write it down now. It is not shown again:"
    assert lines[1:11] == [f"  {number:2}  {code}" for number, (_, code) in enumerate(CODES, 1)]
    assert lines[-1] == "Done. It counts from now on. (credential c-new)"
    assert printing.answers() == []


def test_a_block_of_few_details_keeps_their_names(printing: FakeDaemon) -> None:
    """Numbers stand for names only where the names say no more."""
    printing.details = (("codes", "see the envelope"), ("until", "2027"))
    result = nightlatch(*RECOVERY, "--socket", printing.socket)
    assert "codes  see the envelope" in result.stdout
    assert "until  2027" in result.stdout


def test_printed_codes_as_json(printing: FakeDaemon) -> None:
    """What to show, with no prompt, and then the result at once."""
    shown, result = nightlatch_json(*RECOVERY, "--socket", printing.socket)
    assert shown["prompt"] == ""
    assert shown["details"] == [{"name": name, "value": value} for name, value in CODES]
    assert result == {"confirmed": True, "credential_id": "c-new"}


def test_printed_codes_can_not_play_with_the_terminal(printing: FakeDaemon) -> None:
    """AUD-02: a factor's words are shown as text."""
    printing.details = (("code 1", "\x1b[2J"), ("code 2", "[red]x[/red]"))
    result = nightlatch(*RECOVERY, "--socket", printing.socket)
    assert "\x1b" not in result.stdout
    assert "[red]x[/red]" in result.stdout


def test_the_installed_program_enrols_without_a_code_to_scan(daemon: FakeDaemon) -> None:
    """A real process does the same, for a sent code and for printed ones."""
    daemon.qr_payload = ""
    sent = program(NIGHTLATCH, *SMS, "--socket", daemon.socket, typed=f"{GOOD_CODE}\n")
    assert sent.returncode == 0, sent.stderr
    daemon.details, daemon.counts_at_once = CODES, True
    printed = program(NIGHTLATCH, *RECOVERY, "--json", "--socket", daemon.socket)
    assert json.loads(printed.stdout.splitlines()[-1])["confirmed"] is True
