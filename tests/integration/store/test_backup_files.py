"""The files of backups: whose they are, what is refused, and what is never lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import stat
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nightlatch.keys import KEY_BYTES
from nightlatch.model import Account, AuditEvent, Changes, Credential, DecisionRequest, Result, Standing
from nightlatch.store import open_store
from nightlatch_totp.state import TotpState
from testbed.command import NIGHTLATCH, nightlatch, program
from testbed.fixtures_store import KEY, START, SetClock, SystemRandomness, run

if TYPE_CHECKING:
    from typer.testing import Result as Ran

    from nightlatch.store import SqlStore

NOBODY = 65534
_TEXT = """\
[daemon]
state_dir = "{root}/state"
runtime_dir = "{root}/run"
[listeners.pam]
socket = "{root}/pam.sock"
[listeners.admin]
socket = "{root}/admin.sock"
[plugins]
enabled = ["totp"]
[[directories]]
name = "corp"
kind = "ldap"
urls = ["ldaps://dc1.example.com"]
bind_dn = "cn=nightlatch"
bind_password_file = "{root}/none"
base = "dc=example"
{more}
"""
APP = TotpState(bytes(20), "SHA256", 6).encode()
HELD = Credential("corp:alice", "c1", "codes", "paper", b"ten of them", START)


@dataclass(frozen=True)
class Host:
    """A state folder with a store, its key, and the configuration that names them. No daemon runs."""

    root: Path

    @property
    def state(self) -> Path:
        """The daemon's state folder."""
        return self.root / "state"

    @property
    def database(self) -> Path:
        """The store's file."""
        return self.state / "nightlatch.db"

    @property
    def url(self) -> str:
        """The store's URL."""
        return f"sqlite:///{self.database}"

    def configure(self, more: str = "") -> None:
        """Write the configuration."""
        file = self.root / "nightlatch.toml"
        file.write_text(_TEXT.format(root=self.root, more=more))
        file.chmod(0o644)

    def store(self, *words: object, typed: str = "") -> Ran:
        """Run `nightlatch store`."""
        return nightlatch("store", *words, "--config", self.root / "nightlatch.toml", typed=typed)

    def events(self) -> list[str]:
        """The audit."""
        return [str(row[0]) for row in run(self.url, "select event from audit order by id")]

    def left_over(self) -> set[str]:
        """What is in the state folder beside the store, its key, its heads and the mark of a backup."""
        usual = {"nightlatch.db", "nightlatch.db-wal", "nightlatch.db-shm", "master.key", "last-backup"}
        return {path.name for path in self.state.iterdir()} - usual - {"audit-heads"}


async def fill(store: SqlStore, event: str) -> None:
    """Write a credential, and a row of the audit."""
    account = Account("corp", "alice", "alice")
    row = AuditEvent(event, Result.CHANGED, "", "", account.id)
    request = DecisionRequest((), account.id, account)
    await store.decide(request, lambda _: (Changes(put=(HELD,), events=(row,)), None))


def open_it(url: str) -> SqlStore:
    """The store, open as a daemon has it."""
    return open_store(url, KEY, SetClock(), SystemRandomness())


async def change(store: SqlStore, changes: Changes) -> None:
    """Change what alice has."""
    request = DecisionRequest((), HELD.account_id, standing=True)
    await store.decide(request, lambda _: (changes, None))


@pytest.fixture
def bare_host(open_folder: Path) -> Host:
    """A host with a configuration and a key."""
    root = Path(tempfile.mkdtemp(prefix="host-", dir=open_folder))
    root.chmod(0o755)
    made = Host(root)
    made.state.mkdir(mode=0o700)
    key = made.state / "master.key"
    key.touch(mode=0o600)
    key.write_bytes(b"k" * KEY_BYTES)
    made.configure()
    return made


@pytest.fixture
async def host(bare_host: Host) -> Host:
    """The same, with a store that has one credential."""
    store = open_it(bare_host.url)
    await fill(store, "before")
    await store.close()
    return bare_host


async def test_a_backup_has_all_that_is_committed_while_a_daemon_goes_on(host: Host, tmp_path: Path) -> None:
    """STO-05: what stands in the log beside the database is in it; it is 0600 whatever the umask."""
    store = open_it(host.url)
    await fill(store, "newest")
    umask = os.umask(0)
    made = host.store("backup", tmp_path / "b")
    os.umask(umask)
    await fill(store, "later")
    await store.close()
    assert made.exit_code == 0, made.stderr
    size = (tmp_path / "b").stat().st_size
    assert f"{size / 1000:,.0f} kB, checked. The master key is not in it" in made.stdout
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    assert run(f"sqlite:///{tmp_path / 'b'}", "select event from audit order by id") == [
        ("before",),
        ("newest",),
    ]
    assert host.left_over() == set()


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_a_backup_takes_the_place_of_nothing(host: Host, tmp_path: Path, kind: str) -> None:
    """STO-05: a file, a link and a folder stay as they are, and the link's goal is not made."""
    target = tmp_path / "b"
    if kind == "file":
        target.write_text("mine")
    elif kind == "link":
        target.symlink_to(tmp_path / "goal")
    else:
        target.mkdir()
    refused = host.store("backup", target)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert f"{target} exists already, and is not replaced" in refused.stderr
    assert not (tmp_path / "goal").exists()
    assert kind != "file" or target.read_text() == "mine"


def test_a_damaged_store_makes_no_backup(host: Host, tmp_path: Path) -> None:
    """What can not be read through is told, and no half of it stays."""
    with host.database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    refused = host.store("backup", tmp_path / "b")
    assert refused.exit_code in {1, 3}
    assert "malformed" in refused.stderr or "no database that is whole" in refused.stderr
    assert list(tmp_path.iterdir()) == []
    assert host.left_over() == set()


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


def test_postgresql_s_own_tools_are_named_without_a_password(host: Host, tmp_path: Path) -> None:
    """What to type, and that nothing was done; nobody's password is in it."""
    (host.root / "pw").write_text("hunter2")
    host.configure(f'[store]\nurl = "postgresql://nl@db/nl"\npassword_file = "{host.root}/pw"\n')
    for words, command in (("backup", "pg_dump --format=custom"), ("restore", "pg_restore --clean")):
        refused = host.store(words, tmp_path / "b")
        assert refused.exit_code == 1
        assert command in refused.stderr
        assert "postgresql://nl@db/nl" in refused.stderr
        assert "hunter2" not in refused.stderr
    assert "nightlatch store restored" in refused.stderr


def test_a_missing_configuration_is_wrong_use(tmp_path: Path) -> None:
    """Exit code 2, with what to do."""
    refused = nightlatch("store", "backup", tmp_path / "b", "--config", tmp_path / "none")
    assert refused.exit_code == 2
    assert "Name the daemon's configuration with --config" in refused.stderr


def test_a_copy_of_the_files_is_a_backup_too(host: Host, tmp_path: Path) -> None:
    """A database that was copied with its log: what stands in the log comes back."""
    with closing(sqlite3.connect(host.database)) as file:
        file.execute("insert into spent (key, expires_at, value) values ('k', 0, '')")
        file.commit()
        for path in host.state.glob("nightlatch.db*"):
            shutil.copy(path, tmp_path / path.name.replace("nightlatch.db", "b"))
    assert host.store("restore", tmp_path / "b", "--yes").exit_code == 0
    assert run(host.url, "select key from spent") == [("k",)]
