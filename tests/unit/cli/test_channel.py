"""``nightlatch channel test``: one message, and what the provider said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1.admin_pb2 import TestChannelRequest as ChannelRequest
from testbed.command import NIGHTLATCH, nightlatch, nightlatch_json, program

if TYPE_CHECKING:
    from testbed.fake_daemon import FakeDaemon

REFUSAL = "no: the server refused the account: 535 5.7.8 Bad credentials"
TRY = ("channel", "test", "smtp", "--to", "me@example.com")


@pytest.fixture
def sending(daemon: FakeDaemon) -> FakeDaemon:
    """A daemon with a channel that works and one that does not."""
    daemon.channels = {"smtp": "<1@example.com>", "silent": "", "broken": REFUSAL}
    return daemon


def test_a_message_that_was_taken(sending: FakeDaemon) -> None:
    """Where it went, and the provider's id, with which it is found there."""
    result = nightlatch(*TRY, "--socket", sending.socket)
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "The provider behind smtp took a message to me@example.com. It calls it <1@example.com>. "
        "Look whether it arrives.\n"
    )
    assert sending.asked == [ChannelRequest(channel="smtp", address="me@example.com")]


def test_a_provider_without_ids(sending: FakeDaemon) -> None:
    """No id is no sentence about one."""
    result = nightlatch("channel", "test", "silent", "--to", "+14155550100", "--socket", sending.socket)
    assert (result.exit_code, "calls it" in result.stdout) == (0, False)


def test_a_refusal_in_the_providers_words_and_ours(sending: FakeDaemon) -> None:
    """Exit code 1: what the provider said, and what to look at."""
    result = nightlatch("channel", "test", "broken", "--to", "me@example.com", "--socket", sending.socket)
    assert (result.exit_code, result.stdout) == (1, "")
    said, ours = result.stderr.splitlines()
    assert said == (
        "nightlatch: The provider said: the server refused the account: 535 5.7.8 Bad credentials"
    )
    assert "[channels.broken]" in ours


def test_a_provider_can_not_speak_for_us(sending: FakeDaemon) -> None:
    """AUD-02: what a provider says stays on its line, without control characters."""
    sending.channels["smtp"] = "no: 550 no\r\nnightlatch: all is well\x1b[2J"
    result = nightlatch(*TRY, "--socket", sending.socket)
    said, _ = result.stderr.splitlines()
    assert said.startswith("nightlatch: The provider said: 550 no nightlatch: all is well")
    assert "\x1b" not in result.stderr


def test_as_json(sending: FakeDaemon) -> None:
    """The id, or one error with both sentences."""
    (answer,) = nightlatch_json(*TRY, "--socket", sending.socket)
    assert answer == {"channel": "smtp", "address": "me@example.com", "provider_id": "<1@example.com>"}
    (refusal,) = nightlatch_json("channel", "test", "broken", "--to", "me", "--socket", sending.socket)
    assert isinstance(refusal["error"], dict)
    assert (refusal["error"]["status"], refusal["error"]["exit_code"]) == ("PERMISSION_DENIED", 1)
    assert "535 5.7.8" in str(refusal["error"]["message"])


def test_an_unknown_channel_is_told_in_the_daemons_words(sending: FakeDaemon) -> None:
    """That is no word of a provider."""
    result = nightlatch("channel", "test", "fax", "--to", "1", "--socket", sending.socket)
    assert (result.exit_code, result.stderr) == (1, 'nightlatch: There is no channel "fax".\n')


def test_a_message_needs_an_address(sending: FakeDaemon) -> None:
    """Without --to nothing is asked of the daemon."""
    result = nightlatch("channel", "test", "smtp", "--socket", sending.socket)
    assert (result.exit_code, sending.asked) == (2, [])


def test_the_installed_program_sends(sending: FakeDaemon) -> None:
    """A real process does the same."""
    done = program(NIGHTLATCH, *TRY, "--json", "--socket", sending.socket)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["provider_id"] == "<1@example.com>"
