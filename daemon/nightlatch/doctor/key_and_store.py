"""The master key and the store: there, whole, of this version, and made for each other. Nothing is changed.

MUST 1: the database is opened for reading only, and nothing of its content is told.
"""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import psycopg

from nightlatch.app.audit_heads import HEADS_NAME
from nightlatch.app.folders import STORE_NAME, store_url
from nightlatch.app.system import SystemRandomness
from nightlatch.config.check import KEY_NAME
from nightlatch.doctor.finding import fail, ok, warn
from nightlatch.keys import KEY_BYTES, MasterKey
from nightlatch.store.behind import is_behind
from nightlatch.store.opening import REVISION
from nightlatch.store.seal import CredentialSeal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nightlatch.config import Config
    from nightlatch.doctor.finding import Finding

_AS_ROOT = "Run this as root, or as the daemon's user."
_RESTORE = "Restore the right key from your backup: nothing that is enrolled opens without it."
_PUT_BACK = (
    "If a backup was put back, codes that were used count again, and a receipt's key that was withdrawn signs"
    " again: stop every daemon, then: nightlatch store restored"
)
_PRIVATE = 0o077
_CREDENTIAL_MODE = 0o440
"""What systemd gives a credential, which is root's: its ACL's mask looks like a group's right to read."""
_BUSY_SECONDS = 5.0


def key_and_store(config: Config) -> list[Finding]:
    """The key's file, the database, and whether one opens what the other holds."""
    key, found = _key(config)
    try:
        return [*found, *_store(config, key)]
    except PermissionError:
        return [*found, warn("store", "its files can not be read", _AS_ROOT)]
    except (sqlite3.Error, psycopg.Error, OSError) as error:
        why = str(error).strip().split("\n")[0] or type(error).__name__
        return [*found, fail("store", f"it can not be opened: {why}", "See: nightlatch status")]


def _key(config: Config) -> tuple[MasterKey | None, list[Finding]]:
    path = config.store.key_file or config.daemon.state_dir / KEY_NAME
    try:
        status, content = path.lstat(), path.read_bytes()
        owner = path.parent.stat().st_uid if config.store.key_file is None else status.st_uid
    except FileNotFoundError:
        return None, [fail("key", f"there is none at {path}", _RESTORE)]
    except OSError as error:
        return None, [warn("key", f"{path} can not be read: {error.strerror}", _AS_ROOT)]
    if not stat.S_ISREG(status.st_mode) or len(content) != KEY_BYTES:
        return None, [fail("key", f"{path} is no key: a key has {KEY_BYTES} bytes", _RESTORE)]
    key, mode = MasterKey(content), stat.S_IMODE(status.st_mode)
    credential = mode == _CREDENTIAL_MODE and status.st_uid == status.st_gid == 0
    if mode & _PRIVATE and not credential:
        text = f"{path} has mode {mode:04o}: others can read every secret with it"
        return key, [fail("key", text, f"chmod 600 {path}, and think of who has read it.")]
    if status.st_uid != owner:
        return key, [fail("key", f"{path} belongs to uid {status.st_uid}, not to uid {owner}", "Use chown.")]
    return key, [ok("key", f"{path}, readable by its owner alone")]


def _store(config: Config, key: MasterKey | None) -> list[Finding]:
    url = store_url(config)
    if url.startswith("sqlite"):
        return _sqlite(config.daemon.state_dir / STORE_NAME, key, _heads(config))
    with psycopg.connect(url, connect_timeout=5) as connection:
        connection.read_only = True

        def one(sql: str) -> str:
            row = connection.execute(sql.encode()).fetchone()
            return str(row[0]) if row else ""

        version = one("show server_version").split(" ")[0]
        size = int(one("select pg_database_size(current_database())"))
        host = urlsplit(url).hostname or "a local socket"
        return _judged(f"PostgreSQL {version} at {host}, {_mega(size)}", one, key, _heads(config))


def _heads(config: Config) -> list[str]:
    """What this host has signed of the audit; nothing where it can not be read."""
    try:
        return (config.daemon.state_dir / HEADS_NAME).read_text(errors="replace").splitlines()
    except OSError:
        return []


def _sqlite(path: Path, key: MasterKey | None, heads: list[str]) -> list[Finding]:
    if not path.exists():
        return [
            fail("store", f"there is no database at {path}", "Start the daemon once, or restore a backup.")
        ]
    size = sum(one.stat().st_size for one in path.parent.glob(f"{path.name}*") if one.suffix != ".lock")
    with closing(
        sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
    ) as database:

        def one(sql: str) -> str:
            row = database.execute(sql).fetchone()
            return str(row[0]) if row else ""

        damage = one("pragma quick_check(1)")
        if damage != "ok":
            return [fail("store", f"{path} is damaged: {damage}", "Stop the daemon, and restore a backup.")]
        return _judged(f"SQLite {sqlite3.sqlite_version}, {_mega(size)}", one, key, heads)


def _judged(text: str, one: Callable[[str], str], key: MasterKey | None, heads: list[str]) -> list[Finding]:
    revision = one("select version_num from alembic_version")
    shown = f"{text}, schema {revision}"
    if revision != REVISION:
        remedy = "Restart the daemon, which moves it, or install the version that made it."
        return [fail("store", f"{shown}, where this version works with {REVISION}", remedy)]
    check = one("select value from meta where name = 'key_check'")
    if key is not None and not CredentialSeal(key, SystemRandomness()).opens(check):
        return [ok("store", shown), fail("key", "it is not the one that the store was sealed with", _RESTORE)]
    if is_behind(heads, one):
        return [fail("store", f"{shown}, is older than what this host has signed of its audit", _PUT_BACK)]
    return [ok("store", shown)]


def _mega(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"  # noqa: PLR2004, a unit
