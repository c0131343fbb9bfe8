"""Putting backups back: what is refused, what is told, and what is never lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nightlatch.keys import KEY_BYTES
from nightlatch.model import Changes, Standing
from nightlatch_totp.state import TotpState
from testbed.command import NIGHTLATCH, program
from testbed.fixtures_store import START, run
from testbed.stored_host import HELD, change, fill, open_it

if TYPE_CHECKING:
    from testbed.stored_host import Host

NOBODY = 65534
APP = TotpState(bytes(20), "SHA256", 6).encode()


async def test_the_store_before_is_kept_with_all_that_was_in_it(host: Host, tmp_path: Path) -> None:
    """STO-03: after a crash, its log is brought home first, and does not get into the new one."""
    host.store("backup", tmp_path / "b")
    store = open_it(host.url)
    await fill(store, "newest")
    crashed = [host.database, *(host.state / f"nightlatch.db{end}" for end in ("-wal", "-shm"))]
    for path in crashed:
        shutil.copy(path, tmp_path / path.name)
    await store.close()
    for path in crashed:
        shutil.copy(tmp_path / path.name, path)
        path.chmod(0o600)
    told = json.loads(host.store("restore", tmp_path / "b", "--yes", "--json").stdout)
    assert (told["ended"], told["dry_run"]) == ({"codes": 1}, False)
    assert host.events() == ["before", "credential.remove", "store.restored"]
    assert run(f"sqlite:///{told['before']}", "select event from audit order by id") == [
        ("before",),
        ("newest",),
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in host.state.iterdir()} == {0o600}


async def test_what_had_been_taken_away_since_is_told(host: Host, tmp_path: Path) -> None:
    """A stolen phone's app and a disabled person are there again: only the administrator can judge that."""
    store = open_it(host.url)
    app = replace(HELD, id="c2", factor="totp", label="phone", state=APP)
    kept = replace(app, id="c3", label="tablet")
    await change(store, Changes(put=(app, kept)))
    host.store("backup", tmp_path / "b")
    await change(store, Changes(removed=("c2",), standing=Standing(disabled_at=START)))
    await store.close()
    shown = host.store("restore", tmp_path / "b", "--yes").stdout
    assert re.search(r"^alice +totp +phone +c2 *$", shown, re.MULTILINE)
    assert re.search(r"^alice +enabled *$", shown, re.MULTILINE)
    assert "tablet" not in shown
    told = json.loads(host.store("restore", tmp_path / "b", "--yes", "--json").stdout)
    assert told["returned"] == {"credentials": [], "enabled": []}


def test_a_store_that_is_damaged_is_replaced_and_kept(host: Host, tmp_path: Path) -> None:
    """That is what backups are for."""
    host.store("backup", tmp_path / "b")
    host.database.write_bytes(b"\x00rubbish" * 1000)
    told = json.loads(host.store("restore", tmp_path / "b", "--yes", "--json").stdout)
    assert Path(told["before"]).read_bytes() == b"\x00rubbish" * 1000
    assert told["returned"] is None
    assert host.events()[-1] == "store.restored"


def test_a_store_that_is_gone_is_put_back(host: Host, tmp_path: Path) -> None:
    """On a new machine there is nothing to keep."""
    host.store("backup", tmp_path / "b")
    host.database.unlink()
    told = json.loads(host.store("restore", tmp_path / "b", "--yes", "--json").stdout)
    assert told["before"] is None
    assert host.events()[-1] == "store.restored"


def spoiled(backup: Path, how: str) -> None:
    """Make a backup one that is not to be put back."""
    if how == "newer":
        run(f"sqlite:///{backup}", "update alembic_version set version_num = '9999'")
    elif how == "no key check":
        run(f"sqlite:///{backup}", "delete from meta")
    elif how == "damaged":
        with backup.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 8192)
    elif how == "other":
        backup.unlink()
        run(f"sqlite:///{backup}", "create table t (x)")
    elif how == "rubbish":
        backup.write_text("no database at all, but quite a long text")
    elif how == "empty":
        backup.write_bytes(b"")
    else:
        backup.rename(backup.with_name("goal"))
        backup.symlink_to(backup.with_name("goal"))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("newer", "made by a newer nightlatch"),
        ("no key check", "holds data but no key check"),
        ("damaged", "no database that is whole"),
        ("other", "there is no store of nightlatch"),
        ("rubbish", "no database that is whole"),
        ("empty", "there is no store of nightlatch"),
        ("link", "can not be read"),
    ],
)
def test_what_is_no_backup_of_this_store_is_refused(host: Host, tmp_path: Path, how: str, words: str) -> None:
    """The store stays as it is, to the byte, and nothing else is left behind."""
    host.store("backup", tmp_path / "b")
    before = host.database.read_bytes()
    spoiled(tmp_path / "b", how)
    refused = host.store("restore", tmp_path / "b", "--yes")
    assert refused.exit_code == 1
    assert words in refused.stderr
    assert host.database.read_bytes() == before
    assert host.left_over() == set()


def test_a_backup_of_another_key_is_refused(host: Host, tmp_path: Path) -> None:
    """STO-02: with the words for it; the right key may be named."""
    host.store("backup", tmp_path / "b")
    (host.state / "master.key").rename(tmp_path / "right")
    key = host.state / "master.key"
    key.touch(mode=0o600)
    key.write_bytes(b"o" * KEY_BYTES)
    refused = host.store("restore", tmp_path / "b", "--yes")
    assert refused.exit_code == 1
    assert "the key is not the one that this database was sealed with" in refused.stderr
    assert host.events() == ["before"]
    assert host.store("restore", tmp_path / "b", "--yes", "--key-file", tmp_path / "right").exit_code == 0


def test_without_a_yes_nothing_changes(host: Host, tmp_path: Path) -> None:
    """The question says what would end; a dry run asks nothing, and JSON asks for --yes."""
    host.store("backup", tmp_path / "b")
    refused = host.store("restore", tmp_path / "b", typed="n\n")
    assert refused.exit_code == 1
    assert "This ends 1 codes. 1 person has nothing left to sign in with" in refused.stdout
    assert "Nothing was changed." in refused.stderr
    assert host.store("restored", "--json").exit_code == 2
    dry = host.store("restore", tmp_path / "b", "--dry-run")
    assert dry.exit_code == 0
    assert "would end" in dry.stdout
    assert (host.events(), host.left_over()) == (["before"], set())
    agreed = host.store("restore", tmp_path / "b", typed="y\n")
    assert agreed.exit_code == 0
    assert "The store before is " in agreed.stdout


def test_root_s_commands_leave_the_daemon_s_files_to_its_user(host: Host, tmp_path: Path) -> None:
    """STO-05: what is made in the state folder is that user's, the backup is root's; no link is followed."""
    for path in (host.state, *host.state.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    (tmp_path / "bait").write_text("root's")
    (tmp_path / "bait").chmod(0o600)
    config = ("--config", host.root / "nightlatch.toml")
    assert program(NIGHTLATCH, "store", "backup", tmp_path / "b", *config).returncode == 0
    assert (tmp_path / "b").stat().st_uid == os.getuid() == 0
    (host.state / "audit-heads").symlink_to(tmp_path / "bait")
    made = program(NIGHTLATCH, "store", "restore", tmp_path / "b", "--yes", *config)
    assert made.returncode == 0
    assert "audit.head_not_kept" in made.stderr
    (host.state / "audit-heads").unlink()
    assert program(NIGHTLATCH, "store", "restored", "--yes", *config).returncode == 0
    assert {path.stat().st_uid for path in host.state.iterdir()} == {NOBODY}
    os.chown(host.database, 0, 0)  # as after a cp
    refused = program(NIGHTLATCH, "store", "restored", "--yes", *config)
    assert refused.returncode == 1
    assert f"can not be written by the daemon's user. Run: chown --reference={host.state}" in refused.stderr
    assert (tmp_path / "bait").read_text() == "root's"


def test_a_copy_of_the_files_is_a_backup_too(host: Host, tmp_path: Path) -> None:
    """A database that was copied with its log: what stands in the log comes back."""
    with closing(sqlite3.connect(host.database)) as file:
        file.execute("insert into spent (key, expires_at, value) values ('k', 0, '')")
        file.commit()
        for path in host.state.glob("nightlatch.db*"):
            shutil.copy(path, tmp_path / path.name.replace("nightlatch.db", "b"))
    assert host.store("restore", tmp_path / "b", "--yes").exit_code == 0
    assert run(host.url, "select key from spent") == [("k",)]
