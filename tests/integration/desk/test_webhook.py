"""The webhook against a real HTTPS receiver: signed, in order, tried again, and never in anybody's way."""

from __future__ import annotations

import asyncio
import signal
import ssl
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import structlog

import nightlatch.webhook
from nightlatch.model import AuditEvent, Result, Secret
from nightlatch.v1 import login_pb2
from nightlatch.webhook import FALLBACK, MOST_WAITING, Webhook, WebhookTarget
from testbed.core import FakeClock
from testbed.daemon import Nightlatchd
from testbed.fixtures_store import SystemRandomness
from testbed.front_door import Person, directory_table, enroll
from testbed.process import wait_until
from testbed.receiver import SECRET, Receiver, genuine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from testbed.pki import Pki
    from testbed.slapd import Slapd

LOCK = AuditEvent("account.lock", Result.LOCKED, "blocked", "7f3a-22c1", "corp:1", "alice")


@pytest.fixture
def receiver(pki: Pki) -> Iterator[Receiver]:
    """A receiver that takes everything."""
    made = Receiver(pki.server)
    yield made
    made.stop()


class Desk:
    """A webhook of this process, on a clock whose pauses cost nothing."""

    def __init__(self, url: str, ca: Path | None) -> None:
        self.clock = FakeClock()
        self.clock.time = time.time()
        context = ssl.create_default_context(cafile=ca)
        self.target = WebhookTarget(
            url, Secret(SECRET), ("account.", FALLBACK), context, frozenset({"paper"})
        )
        self.hook = Webhook(self.target, self.clock, SystemRandomness(), structlog.get_logger())


async def until(ready: Callable[[], bool]) -> None:
    """Let the loop run until something holds."""
    await asyncio.to_thread(wait_until, ready, "the receiver")


async def test_an_event_is_signed_and_says_what_happened(receiver: Receiver, pki: Pki) -> None:
    """A receiver that knows the secret can tell it from a forgery and from a repetition."""
    desk = Desk(receiver.url, pki.ca)
    desk.hook.happened(LOCK, 30.0)
    desk.hook.happened(replace(LOCK, event="login.password"), 0.0)
    desk.hook.happened(replace(LOCK, event="login.factor", result=Result.GRANTED, factor="paper"), 0.0)
    await until(lambda: len(receiver.told) == 2)
    first = receiver.told[0]
    assert receiver.names() == ["account.lock", FALLBACK]
    assert genuine(first, desk.clock.now())
    assert not genuine(first, desk.clock.now(), "another secret")
    assert not genuine(replace(first, raw=first.raw.replace(b"alice", b"mallo")), desk.clock.now())
    assert (first.body["user"], first.body["seconds"], first.body["id"]) == ("alice", 30, first.delivery)
    await desk.hook.close()


async def test_what_fails_is_tried_again_in_order(receiver: Receiver, pki: Pki) -> None:
    """500, 401 and a redirect are failures: each pause is twice the last one, and nothing overtakes."""
    receiver.statuses = [500, 401, 302]
    desk = Desk(receiver.url, pki.ca)
    desk.hook.happened(LOCK, 30.0)
    desk.hook.happened(replace(LOCK, event="account.unlock"), 0.0)
    await until(lambda: len(receiver.told) == 2)
    assert receiver.names() == ["account.lock", "account.unlock"]
    assert desk.clock.slept == [1.0, 2.0, 4.0]
    await desk.hook.close()


async def test_a_receiver_that_is_slow_holds_up_nobody(
    receiver: Receiver, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has its seconds; telling returns at once; then the same event comes again, with the same id."""
    monkeypatch.setattr(nightlatch.webhook, "SECONDS", 0.3)
    receiver.gate.clear()
    desk = Desk(receiver.url, pki.ca)
    desk.hook.happened(LOCK, 30.0)
    await until(lambda: receiver.waiting >= 2)
    assert receiver.told == []
    receiver.gate.set()
    await until(lambda: len(receiver.told) >= 1)
    assert len({one.delivery for one in receiver.told}) == 1
    await desk.hook.close()


async def test_a_wrong_certificate_is_told_nothing(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The body is never sent; after an hour the event is lost, and the log says so without the secret."""
    monkeypatch.setattr(nightlatch.webhook, "SECONDS", 2.0)
    desk = Desk(receiver.url, None)
    desk.hook.happened(LOCK, 30.0)
    await until(lambda: not desk.hook.waiting)
    assert receiver.waiting == 0
    said = capsys.readouterr().out
    assert "CERTIFICATE_VERIFY_FAILED" in said
    assert "webhook.lost" in said
    assert SECRET not in said
    assert sum(desk.clock.slept) >= 3600
    await desk.hook.close()


async def test_the_queue_is_bounded(receiver: Receiver, pki: Pki, capsys: pytest.CaptureFixture[str]) -> None:
    """While nobody takes anything, so many wait, and the log names what is lost."""
    receiver.gate.clear()
    desk = Desk(receiver.url, pki.ca)
    for _ in range(MOST_WAITING + 3):
        desk.hook.happened(LOCK, 30.0)
    assert desk.hook.waiting == MOST_WAITING
    assert capsys.readouterr().out.count("webhook.lost") == 3
    receiver.gate.set()


@pytest.fixture
def told(door_folder: Path, slapd: Slapd, pki: Pki, receiver: Receiver) -> Iterator[Nightlatchd]:
    """A daemon that tells the receiver."""
    secret = door_folder / "webhook.secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET + "\n")
    table = f'[webhook]\nurl = "{receiver.url}"\nsecret_file = "{secret}"\nca_file = "{pki.ca}"\n'
    daemon = Nightlatchd(door_folder / "d", directory_table(slapd), extra=table)
    daemon.start()
    yield daemon
    daemon.stop()


def test_the_daemon_tells_what_administrators_want_to_know(
    told: Nightlatchd, receiver: Receiver, slapd: Slapd
) -> None:
    """Locks, what administrators do, reloads taken and refused, and a directory that went away."""
    with told.channel(admin=True) as channel:
        app = enroll(channel, "alice")
    with told.channel() as channel:
        for _ in range(2):
            step = Person(channel).password()
            for _ in range(3):
                if not step.HasField("outcome"):
                    step = Person(channel).answer(step, app.wrong())
    assert told.command("admin", "user", "unlock", "alice").returncode == 0
    assert told.command("admin", "user", "disable", "alice", "--yes").returncode == 0
    told.signal(signal.SIGHUP)
    wait_until(lambda: "config.reloaded" in receiver.names(), "the reload")
    right = told.config.read_text()
    told.config.write_text(right + "\n[nonsense]\n")
    told.signal(signal.SIGHUP)
    wait_until(lambda: "config.refused" in receiver.names(), "the refusal")
    slapd.stop()
    told.command("admin", "user", "show", "alice")
    wait_until(lambda: "directory.server_failed" in receiver.names(), "the outage")
    slapd.start()
    assert [name for name in receiver.names() if not name.startswith(("config.", "directory."))] == [
        "credential.add",
        "account.lock",
        "account.unlock",
        "account.disable",
    ]
    assert all(genuine(one, time.time()) for one in receiver.told)
    lock = next(one for one in receiver.told if one.name == "account.lock")
    assert (lock.body["user"], lock.body["seconds"]) == ("alice", 30)


def test_a_login_waits_for_no_receiver(told: Nightlatchd, receiver: Receiver) -> None:
    """While the receiver answers nothing, people sign in as quickly as ever, and stopping is bounded."""
    receiver.gate.clear()
    with told.channel(admin=True) as channel:
        app = enroll(channel, "bob")
    wait_until(lambda: receiver.waiting > 0, "the first request")
    began = time.monotonic()
    with told.channel() as channel:
        assert Person(channel, "bob").sign_in(app.fresh()).verdict == login_pb2.VERDICT_GRANTED
    assert time.monotonic() - began < 5
