"""The files of pam_google_authenticator, made by its own program."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from nightlatch.factor import ImportedCodes, ImportedSecret
from nightlatch.importing.found import EVENT_BASED, Found, Skipped, SourceFault, base32_secret
from nightlatch.importing.google_authenticator import SCRATCH_USED, read
from testbed.elsewhere import google_authenticator, scratch_codes_in, secret_in

if TYPE_CHECKING:
    from pathlib import Path


def test_a_tree_of_homes_is_read_with_scratch_codes(tmp_path: Path) -> None:
    """Each home's file is its owner's: the secret as the program wrote it, and the codes that are left."""
    files = {name: google_authenticator(tmp_path / name) for name in ("alice", "bob")}
    found = read(tmp_path)
    for name, file in files.items():
        secret, codes = (one for one in found if one.owner == name)
        assert isinstance(secret, Found)
        assert isinstance(codes, Found)
        raw = base32_secret(secret_in(file))
        assert raw is not None
        assert len(raw) >= 16
        assert secret.what == ImportedSecret(raw, "SHA1", 6, 30)
        assert codes.what == ImportedCodes(tuple(scratch_codes_in(file)))
        assert len(scratch_codes_in(file)) == 5


def test_a_folder_with_one_file_a_person_is_read(tmp_path: Path) -> None:
    """Where the module is told secret=…/${USER}, the file's name is the person's."""
    google_authenticator(tmp_path / "made").rename(tmp_path / "carol")
    (tmp_path / "made").rmdir()
    assert {one.owner for one in read(tmp_path)} == {"carol"}


def test_what_counts_events_and_another_step_are_told(tmp_path: Path) -> None:
    """A file without TOTP_AUTH is skipped; a step of its own is kept for the factor to judge."""
    google_authenticator(tmp_path / "hal", "-c")
    google_authenticator(tmp_path / "stan", "-S", "60")
    found = {(one.owner, type(one)): one for one in read(tmp_path)}
    hal, stan = found["hal", Skipped], found["stan", Found]
    assert isinstance(hal, Skipped)
    assert hal.why == EVENT_BASED
    secrets = [one.what for one in read(tmp_path) if isinstance(one, Found) and one.owner == "stan"]
    assert isinstance(stan, Found)
    assert isinstance(secrets[0], ImportedSecret)
    assert secrets[0].period == 60


def test_used_scratch_codes_and_a_wrong_phone_clock_are_told(tmp_path: Path) -> None:
    """Without codes left that is said; a skew that was forgiven there is a note."""
    file = google_authenticator(tmp_path / "eve")
    file.chmod(0o600)
    lines = [line for line in file.read_text().splitlines() if not line.isdigit()]
    file.write_text("\n".join([*lines, '" TIME_SKEW -3']) + "\n")
    secret, codes = read(tmp_path)
    assert isinstance(secret, Found)
    assert "-3 steps off" in secret.note
    assert codes == Skipped("eve", "Scratch codes", SCRATCH_USED)


@pytest.mark.parametrize("trap", ["link", "fifo", "open", "huge", "rubbish"])
def test_a_person_s_trap_stops_nobody_else(tmp_path: Path, trap: str) -> None:
    """MUST 2: links, FIFOs, files that others can read, huge ones and rubbish are skipped, and told."""
    good = google_authenticator(tmp_path / "good")
    home = tmp_path / "mallory"
    home.mkdir()
    file = home / ".google_authenticator"
    if trap == "link":
        file.symlink_to(good)
    elif trap == "fifo":
        os.mkfifo(file, 0o600)
    else:
        file.write_text({"open": good.read_text(), "huge": "A" * 70_000, "rubbish": "no secret!\n"}[trap])
        file.chmod(0o644 if trap == "open" else 0o600)
    found = read(tmp_path)
    assert [type(one) for one in found if one.owner == "mallory"] == [Skipped]
    assert len([one for one in found if isinstance(one, Found) and one.owner == "good"]) == 2


def plant(folder: Path, name: str, good: Path) -> None:
    """A file in somebody else's name, whose secret the one who planted it knows."""
    (folder / name).mkdir(parents=True)
    file = folder / name / ".google_authenticator"
    file.write_text(good.read_text())
    file.chmod(0o600)


def test_nobody_gives_somebody_else_a_secret_from_their_own_home(tmp_path: Path) -> None:
    """MUST 1: a folder "bob" in a home of Alice's is hers: what is in it is nobody's (IDN-03)."""
    good = google_authenticator(tmp_path / "alice")
    plant(tmp_path / "alice", "bob", good)
    for path in (tmp_path / "alice", *(tmp_path / "alice").rglob("*")):
        os.chown(path, 4242, 4242)
    assert {one.owner for one in read(tmp_path)} == {"alice"}


def test_a_folder_that_others_write_to_holds_nobody_s_home(tmp_path: Path) -> None:
    """MUST 1: what stands in a folder of everybody's may have been put there by anybody."""
    good = google_authenticator(tmp_path / "alice")
    plant(tmp_path / "shared", "bob", good)
    (tmp_path / "shared").chmod(0o1777)
    assert {one.owner for one in read(tmp_path)} == {"alice"}


def test_two_files_in_one_name_are_nobody_s(tmp_path: Path) -> None:
    """MUST 1: where a copy has lost whose files are whose, nothing is given by guessing."""
    google_authenticator(tmp_path / "bob")
    good = google_authenticator(tmp_path / "alice")
    plant(tmp_path / "alice", "bob", good)
    found = read(tmp_path)
    assert [type(one) for one in found if one.owner == "bob"] == [Skipped, Skipped]
    assert {one.owner for one in found if isinstance(one, Found)} == {"alice"}


def test_a_source_that_others_write_to_is_refused(tmp_path: Path) -> None:
    """MUST 1: its files' names are people's, and whoever writes to it chooses them."""
    google_authenticator(tmp_path / "alice")
    tmp_path.chmod(0o770)
    with pytest.raises(SourceFault, match="others may write"):
        read(tmp_path)
    tmp_path.chmod(0o700)
    os.chown(tmp_path, 4242, 4242)
    with pytest.raises(SourceFault, match="belongs to uid 4242"):
        read(tmp_path)


def test_a_source_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The message names the path."""
    with pytest.raises(SourceFault, match="neither a folder nor a file"):
        read(tmp_path / "missing")


def test_secrets_are_in_no_repr(tmp_path: Path) -> None:
    """MUST 1: what is found can be printed (LEK-01)."""
    file = google_authenticator(tmp_path / "alice")
    shown = repr(read(tmp_path))
    assert secret_in(file) not in shown
    assert not any(code in shown for code in scratch_codes_in(file))
