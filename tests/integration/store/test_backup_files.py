"""Making backups: whose they are, what is in them, and what they never replace."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from testbed.command import nightlatch
from testbed.fixtures_store import run
from testbed.stored_host import fill, open_it

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.stored_host import Host


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
