"""Backups of the store, by the real commands beside a real daemon, and what they bring back."""

from __future__ import annotations

import json
import shutil
import time

import grpc
import pytest

from testbed.backups import Household, answered, with_device
from testbed.codes import STEP
from testbed.command import NIGHTLATCH, program


def test_a_backup_that_is_put_back_brings_nothing_back(household: Household) -> None:
    """STO-06: used codes, printed codes, a revoked device, an open login are dead; the next code lives."""
    daemon = household.daemon
    app, printed = household.app("alice"), household.codes("bob")
    with daemon.channel() as channel:
        offer = answered(channel, with_device(channel, "alice"), app.fresh())
        token = answered(channel, offer, "y").outcome.device_token
        assert with_device(channel, "alice", token).WhichOneof("kind") == "outcome"
    assert daemon.command("invite", "carol").returncode == 0
    household.back_up()

    used = app.fresh(0)
    assert household.granted("alice", used)
    assert household.granted("bob", printed[0])
    assert daemon.command("device", "revoke", "alice", "--all", "--yes").returncode == 0
    with daemon.channel() as channel:
        open_login = with_device(channel, "alice")
    daemon.stop()
    told = household.put_back()
    assert told["kept"] == {"totp": 1}
    assert told["ended"] == {"recovery": 1, "trusted_device": 1}
    assert (told["invites"], told["without"], told["unreadable"]) == (1, ["bob"], 0)
    restored_in = int(time.time()) // STEP
    daemon.start()

    assert household.factors("alice") == ["totp"]
    assert household.factors("bob") == []
    with daemon.channel() as channel:
        with pytest.raises(grpc.RpcError) as caught:
            answered(channel, open_login, app.code())
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert with_device(channel, "alice", token).WhichOneof("kind") == "prompt"
    assert not household.granted("alice", used)
    assert not any(household.granted("bob", code) for code in printed[:2])
    app.last = max(app.last, restored_in + 1)  # what a phone shows next
    assert household.granted("alice", app.fresh())


def test_what_was_ended_is_in_the_audit_and_the_cut_is_seen(household: Household) -> None:
    """STO-06: a row for the store and one for each credential that ended; `audit verify` tells of the cut."""
    daemon = household.daemon
    household.codes("bob")
    household.back_up()
    household.app("alice")
    daemon.stop()
    household.put_back()
    daemon.start()
    [row] = _events(household, "store.restored")
    assert row["reason"] == "recovery: 1 ended"
    assert row["facts"] == "kept=0 ended=1 sessions=0 invites=0 resets=0 without=1"
    [ended] = _events(household, "credential.remove")
    assert (ended["user"], ended["factor"]) == ("bob", "recovery")
    assert ended["reason"] == "a backup of the store was put back"
    assert household.factors("alice") == []
    verified = daemon.command("audit", "verify", "--json")
    assert verified.returncode == 1
    assert {one["kind"] for one in _json(verified.stdout)["findings"]} == {"cut"}
    (daemon.folder / "state" / "audit-heads").unlink()
    assert daemon.command("audit", "verify").returncode == 0


def test_a_backup_that_was_not_made_safe_is_noticed(household: Household) -> None:
    """STO-06: a daemon that starts on it says so in its log, the doctor fails; `store restored` ends that."""
    daemon = household.daemon
    household.back_up()
    household.app("alice")
    daemon.stop()
    heads = daemon.folder / "state" / "audit-heads"
    signed = heads.read_text()
    put_back_alone(household)
    daemon.start()
    assert "store.older_than_its_audit" in {event["event"] for event in daemon.events()}
    daemon.stop()
    heads.write_text(signed)  # as on another host, which has not written since
    assert "is older than what this host has signed" in doctor(household)
    assert household.store("restored", "--yes").returncode == 0
    heads.write_text(signed)
    assert "is older" not in doctor(household)
    daemon.log.unlink()
    daemon.start()
    assert "store.older_than_its_audit" not in {event["event"] for event in daemon.events()}


def test_nothing_is_put_right_under_a_daemon(household: Household) -> None:
    """A store that a daemon has open is refused, in words, and stays as it is; counting is no harm."""
    household.app("alice")
    told = household.store_json("restored", "--dry-run")
    assert (told["kept"], told["ended"], told["dry_run"]) == ({"totp": 1}, {}, True)
    commands: list[tuple[object, ...]] = [("restored", "--yes")]
    if not household.postgres_url:
        household.back_up()
        commands.append(("restore", household.backup, "--yes"))
    for command in commands:
        refused = household.store(*command)
        assert refused.returncode == 1
        assert "The store is in use: " in refused.stderr
        assert "Stop every daemon" in refused.stderr
    assert _events(household, "store.restored") == []


def put_back_alone(household: Household) -> None:
    """Put the backup back, and forget the other half."""
    if household.postgres_url:
        household.pg_restore()
    else:
        shutil.copy(household.backup, household.database)
        household.database.chmod(0o600)


def doctor(household: Household) -> str:
    """What the doctor says of the store."""
    shown = program(NIGHTLATCH, "doctor", "--config", household.daemon.config, "--json")
    return " ".join(one["text"] for one in json.loads(shown.stdout)["findings"] if one["part"] == "store")


def _json(text: str) -> dict[str, list[dict[str, str]]]:
    told: dict[str, list[dict[str, str]]] = json.loads(text)
    return told


def _events(household: Household, name: str) -> list[dict[str, str]]:
    listed = household.daemon.command("audit", "list", "--event", name, "--json")
    assert listed.returncode == 0
    return [json.loads(line) for line in listed.stdout.splitlines()]
