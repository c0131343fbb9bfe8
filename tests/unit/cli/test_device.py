"""``nightlatch device``: trusted devices listed, renamed and revoked."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1.admin_pb2 import ListCredentialsRequest, RemoveCredentialRequest, RevokeDevicesRequest
from testbed.command import NIGHTLATCH, nightlatch, nightlatch_json, program
from testbed.fake_daemon import device

if TYPE_CHECKING:
    from testbed.fake_daemon import FakeDaemon


@pytest.fixture
def trusting(daemon: FakeDaemon) -> FakeDaemon:
    """A daemon where alice has two devices beside her two credentials."""
    daemon.people["alice"] += [device("d-1111", "laptop", 1_770_033_660), device("d-2222", "desk")]
    return daemon


def left(daemon: FakeDaemon) -> list[str]:
    """What alice has left."""
    return [each.id for each in daemon.people["alice"]]


def test_list_shows_devices_alone(trusting: FakeDaemon) -> None:
    """The table has every device with its name, and no way to sign in."""
    result = nightlatch("device", "list", "alice", "--socket", trusting.socket)
    assert result.exit_code == 0
    assert "alice (corp)" in result.stdout
    assert "c-1111" not in result.stdout
    first, second = [line for line in result.stdout.splitlines() if line.startswith("d-")]
    assert first.split()[:3] == ["d-1111", "trusted_device", "laptop"]
    assert second.rstrip().endswith("never")


def test_list_says_so_when_there_is_none(daemon: FakeDaemon) -> None:
    """A person without a device is no error."""
    result = nightlatch("device", "list", "alice", "--socket", daemon.socket)
    assert (result.exit_code, result.stdout) == (0, "alice (corp) trusts no device.\n")


def test_list_as_json(trusting: FakeDaemon) -> None:
    """One JSON object, with times in UTC and null for never."""
    (answer,) = nightlatch_json("device", "list", "alice", "--socket", trusting.socket)
    assert answer["account"] == {"directory": "corp", "stable_id": "id-of-alice", "name": "alice"}
    assert isinstance(answer["devices"], list)
    assert answer["devices"][1] == {
        "id": "d-2222",
        "factor": "trusted_device",
        "label": "desk",
        "create_time": "2026-02-02T12:00:00Z",
        "last_use_time": None,
        "expire_time": None,
        "hold_end_time": None,
    }


def test_rename_knows_devices_alone(trusting: FakeDaemon) -> None:
    """A device gets its name; the id of a way to sign in is none of a device."""
    result = nightlatch("device", "rename", "alice", "d-1", "old laptop", "--socket", trusting.socket)
    assert result.exit_code == 0, result.output
    assert 'is now called "old laptop"' in result.stdout
    (answer,) = nightlatch_json("device", "rename", "alice", "d-2", "bench", "--socket", trusting.socket)
    assert isinstance(answer["device"], dict)
    assert answer["device"]["label"] == "bench"
    other = nightlatch("device", "rename", "alice", "c-1111", "x", "--socket", trusting.socket)
    assert (other.exit_code, "no device c-1111" in other.stderr) == (1, True)


@pytest.mark.parametrize(("typed", "remain"), [("y\n", 3), ("n\n", 4), ("", 4)])
def test_revoke_one_asks_first(trusting: FakeDaemon, typed: str, remain: int) -> None:
    """Only a clear yes ends the trust in one device."""
    result = nightlatch("device", "revoke", "alice", "d-1", "--socket", trusting.socket, typed=typed)
    assert 'Trust "laptop"' in result.stdout
    assert len(left(trusting)) == remain
    assert result.exit_code == (0 if remain == 3 else 1)


def test_revoke_one_leaves_the_others(trusting: FakeDaemon) -> None:
    """One device goes by its own call."""
    result = nightlatch("device", "revoke", "alice", "d-2222", "--yes", "--socket", trusting.socket)
    assert (result.exit_code, 'Revoked "desk"' in result.stdout) == (0, True)
    assert left(trusting) == ["c-1111", "c-1222", "d-1111"]
    assert trusting.asked[-1] == RemoveCredentialRequest(user="alice", credential_id="d-2222")


@pytest.mark.parametrize(("typed", "remain"), [("y\n", 2), ("n\n", 4)])
def test_revoke_all_names_them_and_asks(trusting: FakeDaemon, typed: str, remain: int) -> None:
    """Every device is named in the question; credentials stay."""
    result = nightlatch("device", "revoke", "alice", "--all", "--socket", trusting.socket, typed=typed)
    assert '"laptop"' in result.stdout
    assert '"desk"' in result.stdout
    assert len(left(trusting)) == remain


def test_revoke_all_where_there_is_none(daemon: FakeDaemon) -> None:
    """Nothing is asked, and it is no error: a script may call it for anybody."""
    result = nightlatch("device", "revoke", "alice", "--all", "--socket", daemon.socket)
    assert (result.exit_code, result.stdout) == (0, "alice (corp) trusts no device.\n")


def test_revoke_as_json_asks_nothing(trusting: FakeDaemon) -> None:
    """A program must say --yes; then it gets those that were revoked."""
    (refusal,) = nightlatch_json("device", "revoke", "alice", "--all", "--socket", trusting.socket)
    assert isinstance(refusal["error"], dict)
    assert refusal["error"]["exit_code"] == 2
    (answer,) = nightlatch_json("device", "revoke", "alice", "--all", "--yes", "--socket", trusting.socket)
    assert isinstance(answer["revoked"], list)
    assert [each["id"] for each in answer["revoked"]] == ["d-1111", "d-2222"]
    assert trusting.asked[-1] == RevokeDevicesRequest(user="alice")


@pytest.mark.parametrize("which", [(), ("",), ("d-1", "--all")])
def test_revoke_wants_one_or_all(trusting: FakeDaemon, which: tuple[str, ...]) -> None:
    """Neither and both are wrong use, an empty id too: an unset variable must not revoke everything."""
    result = nightlatch("device", "revoke", "alice", *which, "--yes", "--socket", trusting.socket)
    assert (result.exit_code, trusting.asked) == (2, [])


def test_revoke_takes_no_way_to_sign_in(trusting: FakeDaemon) -> None:
    """A credential that has to be proven can not be taken away as a device."""
    result = nightlatch("device", "revoke", "alice", "c-1111", "--yes", "--socket", trusting.socket)
    assert (result.exit_code, "no device c-1111" in result.stderr) == (1, True)
    assert trusting.asked == [ListCredentialsRequest(user="alice")]


def test_the_installed_program_lists_renames_and_revokes(trusting: FakeDaemon) -> None:
    """A real process does the same."""
    at = ("--json", "--socket", trusting.socket)
    assert program(NIGHTLATCH, "device", "rename", "alice", "d-1111", "bench", *at).returncode == 0
    listed = program(NIGHTLATCH, "device", "list", "alice", *at)
    assert [each["label"] for each in json.loads(listed.stdout)["devices"]] == ["bench", "desk"]
    one = program(NIGHTLATCH, "device", "revoke", "alice", "d-1111", "--yes", *at)
    every = program(NIGHTLATCH, "device", "revoke", "alice", "--all", "--yes", *at)
    assert (one.returncode, every.returncode) == (0, 0), every.stderr
    assert left(trusting) == ["c-1111", "c-1222"]


@pytest.mark.parametrize("command", [("device", "revoke"), ("session", "end")])
def test_an_id_that_is_no_text_is_wrong_use(trusting: FakeDaemon, command: tuple[str, str]) -> None:
    """Bytes that are not UTF-8 are told of, and no daemon is asked."""
    argv = [*map(str.encode, command), b"alice", b"d-\xff", b"--socket", bytes(trusting.socket)]
    run = subprocess.run([bytes(NIGHTLATCH), *argv], capture_output=True, timeout=30, check=False)
    assert run.returncode == 2
    assert b"not UTF-8" in run.stderr
    assert trusting.asked == []
