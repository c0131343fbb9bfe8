"""The daemon's sockets, and what the daemon says of itself."""

from __future__ import annotations

import socket
import stat
from typing import TYPE_CHECKING

from nightlatch.doctor.finding import fail, ok, warn

if TYPE_CHECKING:
    from pathlib import Path

    from nightlatch.config import Config
    from nightlatch.doctor.finding import Finding
    from nightlatch.v1.admin_pb2 import GetStatusResponse

_START = "See: systemctl status nightlatchd"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_TOLD_ELSEWHERE = frozenset({"store", "directory"})


def sockets(config: Config) -> list[Finding]:
    """The unix sockets that only root or the daemon's user may use."""
    listeners = config.listeners
    return [
        _socket(f"socket {name}", path)
        for name, path in (("pam", listeners.pam.socket), ("admin", listeners.admin.socket))
    ]


def _socket(part: str, path: Path) -> Finding:
    try:
        status, folder = path.lstat(), path.parent.stat()
    except FileNotFoundError:
        return fail(part, f"there is none at {path}", _START)
    except OSError as error:
        return warn(part, f"{path} can not be looked at: {error.strerror}", "Run this as root.")
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISSOCK(status.st_mode):
        return fail(part, f"{path} is no socket", "Move it away, and start the daemon.")
    if mode & _OTHERS:
        return fail(part, f"{path} has mode {mode:04o}: others may use it", f"chmod 600 {path}")
    if folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX:
        return fail(part, f"others may replace {path}", f"chmod o-w {path.parent}")
    return _alive(part, path, status.st_uid)


def _alive(part: str, path: Path, owner: int) -> Finding:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except OSError as error:
            return fail(part, f"nobody answers at {path}: {error.strerror or error}", _START)
    return ok(part, f"{path}, of uid {owner}, answers")


def told(status: GetStatusResponse, version: str) -> list[Finding]:
    """What the running daemon says: its version, and its channels, listeners and workers."""
    if status.version != version:
        text = f"it has version {status.version}, this command {version}"
        found = [fail("daemon", text, "Restart it: systemctl restart nightlatchd")]
    else:
        found = [ok("daemon", f"version {version}, answers")]
    for part in status.parts:
        name = f"{part.kind} {part.name}"
        if part.kind in _TOLD_ELSEWHERE:
            continue
        if not part.healthy:
            found.append(
                fail(name, part.detail or "does not work", "Its log says more: journalctl -u nightlatchd")
            )
        elif part.kind == "channel":
            found.append(ok(name, f"{part.detail}; a message to try it: nightlatch channel test"))
    return found
