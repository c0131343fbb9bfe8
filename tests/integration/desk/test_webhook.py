"""The webhook against a real HTTPS receiver: signed, in order, at least once, and never in anybody's way."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from nightlatch.keys import KEY_BYTES
from nightlatch.v1 import login_pb2
from testbed.daemon import Nightlatchd
from testbed.fixtures_store import run
from testbed.front_door import Person, directory_table, enroll
from testbed.process import wait_until
from testbed.receiver import SECRET, Receiver, genuine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.pki import Pki
    from testbed.slapd import Slapd


@pytest.fixture
def receiver(pki: Pki) -> Iterator[Receiver]:
    """A receiver that takes everything."""
    made = Receiver(pki.server)
    yield made
    made.stop()


def webhook_table(folder: Path, pki: Pki, receiver: Receiver) -> str:
    """The configuration of a webhook that tells a receiver; its secret lies in the folder."""
    secret = folder / "webhook.secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET + "\n")
    return f'[webhook]\nurl = "{receiver.url}"\nsecret_file = "{secret}"\nca_file = "{pki.ca}"\n'


@pytest.fixture
def told(door_folder: Path, slapd: Slapd, pki: Pki, receiver: Receiver) -> Iterator[Nightlatchd]:
    """A daemon that tells the receiver."""
    table = webhook_table(door_folder, pki, receiver)
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


def test_what_happened_while_the_receiver_was_away_is_told_after_a_crash(
    told: Nightlatchd, receiver: Receiver
) -> None:
    """The receiver answers 503, the daemon is killed: the next one tells all, once, in order, with the id."""
    receiver.statuses = [503] * 1000
    with told.channel(admin=True) as channel:
        enroll(channel, "alice")
    assert told.command("admin", "user", "disable", "alice", "--yes").returncode == 0
    wait_until(lambda: receiver.waiting > 0, "the first request")
    told.kill()
    receiver.statuses = []
    assert receiver.told == []
    told.start()
    assert told.command("admin", "user", "enable", "alice").returncode == 0
    wait_until(lambda: len(receiver.told) >= 3, "what was not told", seconds=60)
    assert receiver.names() == ["credential.add", "account.disable", "account.enable"]


def test_of_several_workers_one_tells(door_folder: Path, slapd: Slapd, pki: Pki, receiver: Receiver) -> None:
    """Whichever worker wrote it, an event comes once; a reload is told once."""
    table = webhook_table(door_folder, pki, receiver)
    daemon = Nightlatchd(door_folder / "w", directory_table(slapd), extra=table)
    daemon.config.write_text(daemon.config.read_text().replace("[daemon]\n", "[daemon]\nworkers = 2\n", 1))
    daemon.start()
    try:
        for _ in range(4):
            assert daemon.command("admin", "user", "disable", "alice", "--yes").returncode == 0
            assert daemon.command("admin", "user", "enable", "alice").returncode == 0
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: "config.reloaded" in receiver.names(), "the reload")
        assert daemon.command("admin", "user", "disable", "bob", "--yes").returncode == 0
        wait_until(lambda: receiver.told[-1].body.get("user") == "bob", "the last event", seconds=60)
    finally:
        daemon.stop()
    assert receiver.names() == [
        *["account.disable", "account.enable"] * 4,
        "config.reloaded",
        "account.disable",
    ]


def test_of_two_daemons_on_one_database_one_tells_and_the_other_follows(
    door_folder: Path, slapd: Slapd, pki: Pki, receiver: Receiver, postgres_url: str
) -> None:
    """Both are told of, in order; the one that tells is killed, and the other goes on after its lease.

    What was taken just before the kill may come twice: then with the same id.
    """
    key = door_folder / "key"
    key.touch(mode=0o600)
    key.write_bytes(b"k" * KEY_BYTES)
    table = (
        f'{webhook_table(door_folder, pki, receiver)}[store]\nurl = "{postgres_url}"\nkey_file = "{key}"\n'
    )
    first, second = (
        Nightlatchd(door_folder / name, directory_table(slapd), extra=table) for name in ("a", "b")
    )
    first.start()
    wait_until(lambda: bool(run(postgres_url, "select 1 from meta where name like 'webhook %'")), "the first")
    second.start()
    try:
        assert second.command("admin", "user", "disable", "alice", "--yes").returncode == 0
        assert first.command("admin", "user", "enable", "alice").returncode == 0
        wait_until(lambda: len(receiver.told) == 2, "both daemons' events")
        first.kill()
        assert second.command("admin", "user", "disable", "bob", "--yes").returncode == 0
        wait_until(lambda: receiver.told[-1].body["user"] == "bob", "what followed", seconds=90)
    finally:
        second.stop()
    once = {one.delivery: (one.name, one.body["user"]) for one in receiver.told}
    assert list(once.values()) == [
        ("account.disable", "alice"),
        ("account.enable", "alice"),
        ("account.disable", "bob"),
    ]
