"""A session, kept in the person's own runtime folder; the daemon says when it is over.

MUST 1: the file is the person's own, 0600, in a folder that nobody else may enter; else nothing is kept.
MUST 2: it is never written through a link, nor read from somebody else's file.
"""

from __future__ import annotations

import json
import os
import stat
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path

_NAME = "nightlatch-session"
_LONGEST = 64 * 1024


class KeptSession:
    """Where the session of one socket and one name is kept; nowhere, without a folder."""

    def __init__(self, socket: Path, user: str, folder: Path | None, name: str = _NAME) -> None:
        self._key = [str(socket.absolute()), user]
        self._path = folder / name if folder is not None and _is_private(folder) else None

    def read(self) -> bytes:
        """The session; empty for none."""
        key, session = self._content()
        return session if key == self._key else b""

    def _content(self) -> tuple[object, bytes]:
        """What is kept, and whose it is; None and nothing where there is no file that can be trusted."""
        if self._path is None:
            return None, b""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                status = os.fstat(descriptor)
                if (
                    not stat.S_ISREG(status.st_mode)
                    or status.st_uid != os.geteuid()
                    or status.st_mode & 0o077
                ):
                    return None, b""
                key, session = json.loads(os.read(descriptor, _LONGEST))
            finally:
                os.close(descriptor)
            return key, b64decode(session)
        except (OSError, ValueError, TypeError):
            return None, b""

    def write(self, session: bytes) -> None:
        """Keep a session; where that can not be, the person signs in again next time."""
        if self._path is None:
            return
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            new.unlink(missing_ok=True)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump([self._key, b64encode(session).decode()], file)
            new.replace(self._path)

    def forget(self) -> None:
        """Keep it no longer. What is kept of another socket or name stays: it is still open there."""
        if self._path is not None and self._content()[0] in (None, self._key):
            with suppress(OSError):
                self._path.unlink(missing_ok=True)


def runtime_folder() -> Path | None:
    """The person's own runtime folder (XDG Base Directory Specification), or None."""
    named = os.environ.get("XDG_RUNTIME_DIR", "")
    return Path(named) if named.startswith("/") else None


def _is_private(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
