"""A webhook tells a real HTTPS receiver, which fails in every way, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import nightlatch.webhook.post
from nightlatch.model import Result
from nightlatch.webhook.target import FALLBACK
from nightlatch.webhook.telling import NOT_TAKEN_SECONDS, TOO_OLD
from testbed.receiver import SECRET, Receiver, genuine
from testbed.telling_desk import LOCK, UNLOCK, Desk, until

if TYPE_CHECKING:
    import pytest


async def test_an_event_is_signed_and_says_what_happened(desk: Desk, receiver: Receiver) -> None:
    """A receiver that knows the secret can tell it from a forgery and from a repetition."""
    await desk.hook()
    await desk.happens(
        LOCK,
        replace(LOCK, event="login.password"),
        replace(LOCK, event="login.factor", result=Result.GRANTED, factor="paper"),
        replace(LOCK, event="credential.add", factor="paper"),
        replace(LOCK, event="credential.remove"),
    )
    await until(lambda: len(receiver.told) == 3)
    first = receiver.told[0]
    assert receiver.names() == ["account.lock", FALLBACK, "credential.add"]
    assert genuine(first, desk.clock.now())
    assert not genuine(first, desk.clock.now(), "another secret")
    assert not genuine(replace(first, raw=first.raw.replace(b"alice", b"mallo")), desk.clock.now())
    assert (first.body["user"], first.body["seconds"], first.body["id"]) == ("alice", 30, first.delivery)


async def test_what_fails_is_tried_again_in_order(desk: Desk, receiver: Receiver) -> None:
    """500, 401 and a redirect are failures: each pause is twice the last one, and nothing overtakes."""
    receiver.statuses = [500, 401, 302]
    await desk.happens(LOCK, UNLOCK)
    await desk.hook()
    await until(lambda: len(receiver.told) == 2)
    assert receiver.names() == ["account.lock", "account.unlock"]
    assert desk.clock.slept == [1.0, 2.0, 4.0]


async def test_a_receiver_that_is_slow_is_told_again(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has its seconds; then the same event comes again, with the same id."""
    monkeypatch.setattr(nightlatch.webhook.post, "SECONDS", 0.3)
    receiver.gate.clear()
    await desk.happens(LOCK)
    await desk.hook()
    await until(lambda: receiver.waiting >= 2)
    assert receiver.told == []
    receiver.gate.set()
    await until(lambda: len(receiver.told) >= 1)
    assert len({one.delivery for one in receiver.told}) == 1


async def test_a_wrong_certificate_is_told_nothing_and_nothing_is_lost(
    desk: Desk, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """The body is never sent; once the CA is put right, the next start tells it. The secret is in no log."""
    await desk.happens(LOCK)
    wrong = await desk.hook(ca=False)
    await until(lambda: sum(desk.clock.slept) > 3 * 3600)
    await wrong.close()
    assert receiver.waiting == 0
    said = capsys.readouterr().out
    assert "CERTIFICATE_VERIFY_FAILED" in said
    assert "webhook.lost" not in said
    assert SECRET not in said
    await desk.hook()
    await until(lambda: receiver.names() == ["account.lock"])


async def test_what_is_too_old_is_given_up(
    desk: Desk, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """After seven days an event is told no more; the log says which, and what is younger is told."""
    await desk.happens(LOCK)
    desk.clock.ahead += TOO_OLD
    await desk.hook()
    await until(lambda: "webhook.lost" in capsys.readouterr().out)
    desk.clock.ahead -= TOO_OLD
    await desk.happens(UNLOCK)
    await until(lambda: receiver.names() == ["account.unlock"])


async def test_an_event_that_the_receiver_does_not_take_stops_the_others_for_an_hour(
    desk: Desk, receiver: Receiver
) -> None:
    """It answers 400 to that one again and again: it is given up, and the next one comes."""
    receiver.statuses = [400] * 100
    await desk.happens(LOCK)
    await desk.hook()
    await until(lambda: sum(desk.clock.slept) >= NOT_TAKEN_SECONDS)
    receiver.statuses = []
    await desk.happens(UNLOCK)
    await until(lambda: "account.unlock" in receiver.names())
