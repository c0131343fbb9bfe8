"""The audit's signed heads beside the database: in a file of the daemon's state, and in its log.

MUST 1: a head is on the disk, and in the log, soon after it was signed: an old database is found out by it.
MUST 2: the file stays small: at a start, the newest head of each writer is kept.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import structlog

    from nightlatch.audit.heads import Head

HEADS_NAME = "audit-heads"
LONGEST_FILE = 64 * 1024 * 1024
"""Bytes that are read at most; a line has 350."""


class KeptHeads:
    """A `nightlatch.audit.evidence.Witness`. Several processes may share the file."""

    def __init__(self, state_dir: Path, log: structlog.stdlib.BoundLogger) -> None:
        self._path = state_dir / HEADS_NAME
        self._log = log

    def take(self, head: Head, line: str) -> None:
        """Append to the file, and log."""
        self._log.info("audit.head", **json.loads(line))
        try:
            with self._locked() as descriptor:
                os.write(descriptor, f"{line}\n".encode())
                os.fsync(descriptor)
        except OSError as error:
            self._log.error(
                "audit.head_not_kept", writer=head.writer, file=str(self._path), reason=error.strerror
            )

    def retention_stopped(self, reason: str) -> None:
        """Log."""
        self._log.error("audit.retention_stopped", reason=reason, advice="run: nightlatch audit verify")

    def lines(self) -> list[str]:
        """All heads that are kept; raises OSError."""
        try:
            with self._path.open("rb") as file:
                text = file.read(LONGEST_FILE)
        except FileNotFoundError:
            return []
        return [line for line in text.decode("utf-8", "replace").splitlines() if line]

    def shorten(self) -> None:
        """Keep the last head of each writer. What can not be read stays, for somebody to look at."""
        newest: dict[object, str] = {}
        try:
            with self._locked():
                lines = self.lines()
                for number, line in enumerate(lines):
                    newest[_writer(line) or number] = line
                if len(newest) == len(lines):
                    return
                new = self._path.with_suffix(".new")
                with open(new, "w", encoding="utf-8", opener=_private) as file:
                    file.writelines(f"{line}\n" for line in newest.values())
                    file.flush()
                    os.fsync(file.fileno())
                new.rename(self._path)
        except OSError as error:
            self._log.warning("audit.heads_not_shortened", file=str(self._path), reason=error.strerror)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        """The file as it is now, open to append, and nobody else's for so long."""
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if os.fstat(descriptor).st_ino == self._path.stat().st_ino:
                    yield descriptor
                    return
            finally:
                os.close(descriptor)  # it was shortened while we waited: open the new one


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _writer(line: str) -> object:
    try:
        return json.loads(line)["writer"]
    except (ValueError, KeyError, TypeError):
        return None
