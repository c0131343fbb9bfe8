"""Checks the files and folders that settings name.

MUST 1: a file with a secret is readable by its owner alone, the daemon's user or root (STO-02, STO-05).
MUST 2: a folder that others may write holds neither sockets nor state: they could put their own in its place.
MUST 3: the content of a secret file is never part of a problem.
"""

from __future__ import annotations

import os
import ssl
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.config.opened import open_regular
from nightlatch.keys import KEY_BYTES

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_SECRET = 4096
"""Bytes of a secret file that are looked at."""
_OTHERS = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP


@dataclass(frozen=True, slots=True)
class FileChecker:
    """Looks at files as the daemon will see them. Every method returns what is wrong, or an empty text."""

    owners: frozenset[int]
    """Whose files may be trusted: root, the caller, and the daemon's user."""

    def secret(self, path: Path) -> str:
        """A password in the first line of a file."""
        wrong, content = self._private(path)
        if not wrong and not content.split(b"\n", 1)[0].strip():
            return f"{path} is empty.\nPut the password into its first line."
        return wrong

    def key(self, path: Path) -> str:
        """A master key: 32 bytes, and no name for another file."""
        if path.is_symlink():
            return f"{path} is a symbolic link.\nName the key file itself."
        wrong, content = self._private(path)
        if not wrong and len(content) != KEY_BYTES:
            held = f"{len(content)}" if len(content) < KEY_BYTES else "more"
            return (
                f"{path} holds {held} bytes, a key has {KEY_BYTES}.\nRestore it from your backup: "
                "without it, nothing that is enrolled can be opened."
            )
        return wrong

    def certificates(self, path: Path) -> str:
        """Certificates of authorities, in PEM."""
        wrong = _written_by_others(path, ", and so choose whom to trust")
        if wrong:
            return wrong
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        except ssl.SSLError:
            return f"{path} holds no certificate in PEM.\nIt must begin with -----BEGIN CERTIFICATE-----."
        return ""

    def tls_key(self, path: Path) -> str:
        """A private key in PEM; what is in it is looked at with its certificate."""
        return self._private(path)[0]

    def public(self, path: Path) -> str:
        """A file that anybody may read and nobody else may write."""
        return _written_by_others(path)

    def folder(self, path: Path) -> str:
        """A folder that the daemon uses, or makes where it is missing."""
        existing = path
        while not existing.exists() and existing != existing.parent:
            existing = existing.parent
        if not existing.is_dir():
            return f"{existing} is not a folder."
        if not os.access(existing, os.W_OK | os.X_OK):
            verb = "used" if existing == path else "made"
            return f"{path} can not be {verb}: uid {os.geteuid()} may not write {existing}.\n{_make(path)}"
        return self._safe_folder(path) if existing == path else ""

    def folder_of(self, socket: Path) -> str:
        """The folder of a socket, and that nothing but a socket is in its place."""
        if socket.exists() and not socket.is_socket():
            return f"{socket} exists and is no socket.\nRemove it, or choose another path."
        return self.folder(socket.parent)

    def _safe_folder(self, path: Path) -> str:
        status = path.stat()
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            mode = stat.S_IMODE(status.st_mode)
            return f"others may write the folder {path} (mode {mode:04o}).\nRun: chmod go-w {path}"
        if status.st_uid not in self.owners:
            return f"the folder {path} belongs to uid {status.st_uid}.\n{_OWNER}"
        return ""

    def _private(self, path: Path) -> tuple[str, bytes]:
        try:
            file, status = open_regular(path)
        except OSError as error:
            return _unopened(path, error), b""
        with file:
            content = file.read(LARGEST_SECRET)
        # systemd shows a credential to its service by an ACL, whose mask looks like a group's right to read.
        others = _OTHERS if status.st_gid == 0 else _OTHERS | stat.S_IRGRP
        if status.st_mode & others:
            mode = stat.S_IMODE(status.st_mode)
            return f"others may read {path} (mode {mode:04o}).\nRun: chmod 600 {path}", b""
        if status.st_uid not in self.owners:
            return f"{path} belongs to uid {status.st_uid}.\n{_OWNER}", b""
        return "", content


def _written_by_others(path: Path, harm: str = "") -> str:
    try:
        file, status = open_regular(path)
    except OSError as error:
        return _unopened(path, error)
    file.close()
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"others may write {path}{harm}.\nRun: chmod go-w {path}"
    return ""


def _unopened(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no file {path}."
    return f"{path} can not be opened: {error.strerror}."


def _make(path: Path) -> str:
    return f"Make it for the daemon's user: install -d -m 0755 -o USER {path}"


_OWNER = "It must belong to the daemon's user or root."
