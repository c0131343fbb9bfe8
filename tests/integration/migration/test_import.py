"""`nightlatch import` against a real daemon whose people are in a real slapd."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2
from testbed.elsewhere import BASE32, google_authenticator, oathtool, scratch_codes_in, secret_in
from testbed.front_door import Person

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.front_door import FrontDoor


def imported(door: FrontDoor, *arguments: object) -> dict[str, list[dict[str, str]]]:
    """The report of an import, for programs."""
    answered = door.daemon.command("import", *(str(each) for each in arguments), "--json")
    assert answered.stderr == ""
    report: dict[str, list[dict[str, str]]] = json.loads(answered.stdout)
    return report


def outcomes(report: dict[str, list[dict[str, str]]]) -> dict[tuple[str, str], str]:
    """What became of each credential, by person and name."""
    return {(row["person"], row["label"]): row["outcome"] for row in report["credentials"]}


def listed(door: FrontDoor, user: str) -> list[str]:
    """The factors that a person has."""
    answer = door.daemon.command("credential", "list", user, "--json").stdout
    return [one["factor"] for one in json.loads(answer)["credentials"]]


def test_a_tree_comes_over_once_and_is_told(door: FrontDoor, tmp_path: Path) -> None:
    """A dry run stores nothing, the first run what it can, the second nothing more; no secret is shown."""
    file = google_authenticator(tmp_path / "homes" / "alice")
    google_authenticator(tmp_path / "homes" / "zed")
    source = ("google-authenticator", tmp_path / "homes")
    dry = outcomes(imported(door, *source, "--dry-run"))
    assert (dry["alice", ""], dry["zed", ""]) == ("imported", "skipped")
    assert listed(door, "alice") == []
    code = oathtool(secret_in(file), time.time())
    first = imported(door, *source)
    assert outcomes(first) == dry
    assert listed(door, "alice") == ["totp"]
    assert outcomes(imported(door, *source))["alice", ""] == "present"
    assert listed(door, "alice") == ["totp"]
    shown = [json.dumps(first), door.daemon.log.read_text()]
    for secret in (secret_in(file), *scratch_codes_in(file)):
        assert not any(secret in text for text in shown)
    with door.daemon.channel() as channel:  # what the other system could have taken is dead here (OTP-07)
        assert Person(channel).sign_in(code).verdict != login_pb2.VERDICT_GRANTED


def test_what_can_not_come_over_is_told_with_the_reason(door: FrontDoor, tmp_path: Path) -> None:
    """Nobody is forgotten: each credential has a row, and the exit code says that some were skipped."""
    names, uris = tmp_path / "users.csv", tmp_path / "uris"
    names.write_text("albert,alice\n")
    lines = (f"albert?secret={BASE32}", f"bob?secret={BASE32}&period=60", f"nobody?secret={BASE32}")
    uris.write_text("".join(f"otpauth://totp/{line}\n" for line in lines))
    report = imported(door, "otpauth", uris, "--map", names)
    rows = {row["person"]: (row["outcome"], row["detail"]) for row in report["credentials"]}
    assert rows["alice"] == ("imported", "")
    assert rows["bob"] == ("skipped", "codes that change every 60 s are not supported: only every 30 s")
    assert rows["nobody"] == ("skipped", "no directory knows this name: give the right one with --map")
    told = door.daemon.command("import", "otpauth", str(uris), "--map", str(names))
    assert told.returncode == 1
    assert "0 imported, 1 there already, 2 skipped." in told.stdout


def test_the_factor_may_be_named(door: FrontDoor, tmp_path: Path) -> None:
    """One that takes such things does; another name is told with those that could be."""
    file = tmp_path / "uris"
    file.write_text(f"otpauth://totp/Example:bob?secret={BASE32}\n")
    wrong = imported(door, "otpauth", file, "--factor", "nonsense")["credentials"][0]
    assert (wrong["outcome"], "totp" in wrong["detail"]) == ("skipped", True)
    assert listed(door, "bob") == []
    report = imported(door, "otpauth", file, "--factor", "totp")
    (row,) = report["credentials"]
    assert (row["outcome"], row["factor"]) == ("imported", "totp")


def test_without_a_daemon_nothing_is_imported_and_a_second_run_goes_on(
    door: FrontDoor, tmp_path: Path
) -> None:
    """A daemon that is away is exit code 3, and leaves nothing half."""
    google_authenticator(tmp_path / "alice")
    door.daemon.stop()
    away = door.daemon.command("import", "google-authenticator", str(tmp_path))
    assert away.returncode == 3
    door.daemon.start()
    assert outcomes(imported(door, "google-authenticator", tmp_path))["alice", ""] == "imported"


def test_wrong_use_is_said(door: FrontDoor, tmp_path: Path) -> None:
    """A missing source, an empty one, and a key for what has none."""
    empty = tmp_path / "empty"
    empty.write_text("")
    for arguments in (("oath", tmp_path / "missing"), ("oath", empty), ("oath", empty, "--key-file", empty)):
        answered = door.daemon.command("import", *(str(each) for each in arguments))
        assert (answered.returncode, answered.stdout) == (2, "")
        assert str(empty) in answered.stderr or str(tmp_path) in answered.stderr or "key" in answered.stderr
