"""Copies of the embedded store: made while a daemon runs, and put in the place of the present one.

MUST 1: a copy is the store at one moment, whole, and checked before anybody relies on it.
MUST 2: a copy is its maker's alone, 0600, and takes the place of nothing (STO-05).
MUST 3: what is put in place comes there in one step; the store before is kept beside it, by another name.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

from nightlatch.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

_BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a database that is open, or was left open."""
_BUSY_SECONDS = 5.0
_NO_DATABASE = "{} is no database that is whole: {}. Take another backup."


def snapshot(store: Path, copy: Path) -> None:
    """Write the store as it is now, without what was deleted in it, to a new file; raises Unavailable.

    No login waits meanwhile.
    """
    try:
        with contextlib.closing(_connection(store, "ro")) as connection:
            connection.execute("vacuum into ?", (str(copy),))
    except sqlite3.Error as error:
        raise Unavailable("store", f"{store} can not be copied: {error}") from None
    copy.chmod(0o600)


def check_whole(copy: Path, name: Path) -> None:
    """Read every page of a copy; raises Conflict for one that is damaged, by the name that people know."""
    try:
        with contextlib.closing(_connection(copy, "rw")) as connection:
            rows = connection.execute("pragma integrity_check(1)").fetchall()
    except sqlite3.Error as error:
        raise Conflict(_NO_DATABASE.format(name, error)) from None
    if rows != [("ok",)]:
        raise Conflict(_NO_DATABASE.format(name, rows[0][0] if rows else "it says nothing"))


def new_file(path: Path) -> IO[bytes]:
    """A new file, mode 0600, in the place of nothing; raises Conflict."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        raise Conflict(f"{path} exists already, and is not replaced. Name another file.") from None
    except OSError as error:
        raise Conflict(f"{path} can not be made: {error.strerror}.") from None
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "wb")


def present_file(path: Path) -> IO[bytes]:
    """A regular file, to be read; raises Conflict for anything else, and for a symbolic link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Conflict(f"{path} can not be read: {error.strerror}.") from None
    file = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise Conflict(f"{path} is no regular file.")
    return file


def present_files(path: Path) -> dict[str, IO[bytes]]:
    """The file of a backup, and what was copied with it, by the end of the name; raises Conflict.

    What stands in the log beside a database (-wal) is part of it: a copy of both files is a backup, too.
    """
    files = {"": present_file(path)}
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        files["-wal"] = present_file(log)
    return files


def durable(source: IO[bytes], target: IO[bytes]) -> int:
    """Copy one file to another, down to the disk; how many bytes. Raises OSError."""
    shutil.copyfileobj(source, target, 1 << 20)
    target.flush()
    os.fsync(target.fileno())
    return target.tell()


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_in_place(copy: Path, store: Path, aside: Path) -> bool:
    """Put a closed copy in the store's place; whether there was a store, which is then at `aside`.

    Raises FileExistsError where something is there already, OSError. At no moment is there no store: a daemon
    that starts finds the old one or the new one, and never begins an empty one.
    """
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    there = store.exists()
    for ending in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            os.link(_named(store, ending), _named(aside, ending))
    for ending in _BESIDE:
        _named(store, ending).unlink(
            missing_ok=True
        )  # it belongs to the old file, and would change the new one
    copy.replace(store)
    sync_folder(store.parent)
    return there


def _named(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}{ending}")


def _connection(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
