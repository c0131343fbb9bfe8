"""``nightlatch admin receipts``: what is told of the keys, and what is asked before one is withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1.admin_pb2 import GetReceiptKeysRequest, ReceiptKeys, RotateReceiptKeysRequest
from testbed.command import nightlatch, nightlatch_json
from testbed.fake_users import STARTED

if TYPE_CHECKING:
    from testbed.fake_daemon import FakeDaemon

FIRST = ReceiptKeys(current_key_id="k-one", next_key_id="k-two")


@pytest.fixture
def rotated(daemon: FakeDaemon) -> FakeDaemon:
    """A daemon whose key was rotated a moment ago."""
    daemon.receipt_keys = keys = ReceiptKeys(
        current_key_id="k-two", next_key_id="k-three", previous_key_id="k-one"
    )
    keys.current_since_time.FromSeconds(STARTED)
    keys.previous_end_time.FromSeconds(STARTED + 400)
    keys.next_ready_time.FromSeconds(STARTED + 1000)
    return daemon


def test_the_first_key_has_no_beginning_and_none_before_it(daemon: FakeDaemon) -> None:
    """Words for people, nulls for programs."""
    daemon.receipt_keys = FIRST
    shown = nightlatch("admin", "receipts", "show", "--socket", daemon.socket)
    assert shown.exit_code == 0
    for words in ("k-one, since the beginning", "k-two, at any time", "none is published"):
        assert words in shown.stdout
    (answer,) = nightlatch_json("admin", "receipts", "show", "--socket", daemon.socket)
    assert answer == {
        "current_key_id": "k-one",
        "current_since_time": None,
        "next_key_id": "k-two",
        "next_ready_time": None,
        "previous_key_id": None,
        "previous_end_time": None,
    }
    assert daemon.asked == [GetReceiptKeysRequest()] * 2


def test_a_rotation_asks_nothing_and_tells_what_it_made(rotated: FakeDaemon) -> None:
    """It disturbs nobody."""
    shown = nightlatch("admin", "receipts", "rotate", "--socket", rotated.socket)
    assert shown.exit_code == 0
    assert "k-one, published until" in shown.stdout
    assert "16 minutes" not in shown.stdout
    (answer,) = nightlatch_json("admin", "receipts", "rotate", "--socket", rotated.socket)
    assert (answer["previous_key_id"], answer["next_key_id"]) == ("k-one", "k-three")
    assert answer["previous_end_time"]
    assert rotated.asked == [RotateReceiptKeysRequest()] * 2


def test_at_once_is_asked_for_and_tells_who_takes_old_receipts_still(rotated: FakeDaemon) -> None:
    """Without a yes nothing is sent; with --json a yes is an option."""
    rotate = ("admin", "receipts", "rotate", "--at-once", "--socket", rotated.socket)
    refused = nightlatch(*rotate, typed="n\n")
    assert (refused.exit_code, "5 minutes" in refused.stdout) == (1, True)
    assert nightlatch(*rotate, "--json").exit_code == 2
    assert rotated.asked == []
    done = nightlatch(*rotate, typed="y\n")
    assert (done.exit_code, "16 minutes" in done.stdout) == (0, True)
    assert nightlatch(*rotate, "--yes").exit_code == 0
    assert rotated.asked == [RotateReceiptKeysRequest(at_once=True)] * 2


def test_what_the_daemon_refuses_is_told_in_its_words(daemon: FakeDaemon) -> None:
    """Too soon is a refusal, with the time from which on it is not."""
    daemon.failure = (grpc.StatusCode.FAILED_PRECONDITION, "Rotate from 12:40:00 on.")
    shown = nightlatch("admin", "receipts", "rotate", "--socket", daemon.socket)
    assert (shown.exit_code, "12:40:00" in shown.stderr) == (1, True)
