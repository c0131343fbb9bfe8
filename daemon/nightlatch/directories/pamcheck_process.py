"""What the process of `nightlatch-pamcheck` is made of: its socket, and what it gives up before it serves.

MUST 1: nobody but the one allowed uid can connect to a socket that is made here.
MUST 2: no core file, no peeking by others (PR_SET_DUMPABLE, prctl(2)), and an environment of its own:
        PAM modules read it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SYSTEMD_SOCKET = 3  # SD_LISTEN_FDS_START of sd_listen_fds(3)
_PR_SET_DUMPABLE = 4


class CannotStart(Exception):
    """Why the helper does not start, and what to do."""


def passed_socket() -> socket.socket | None:
    """The socket that systemd passed (sd_listen_fds(3)), if it passed one."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        return None
    os.set_inheritable(_SYSTEMD_SOCKET, False)  # noqa: FBT003 - it has no name for it
    passed = socket.socket(fileno=_SYSTEMD_SOCKET)
    if passed.family != socket.AF_UNIX or passed.type != socket.SOCK_STREAM:
        raise CannotStart("the socket from systemd is no unix stream socket. Use ListenStream= with a path.")
    return passed


def own_socket(path: Path, allowed_uid: int, waiting: int) -> socket.socket:
    """Listen at `path`, for `allowed_uid` only; what a dead helper left there is replaced."""
    try:
        if path.exists() and stat.S_ISSOCK(path.lstat().st_mode):
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(path)) == 0:
                    raise CannotStart(f"{path}: another nightlatch-pamcheck listens there. Stop it first.")
            path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))  # the umask makes it 0600
        os.chown(path, allowed_uid, -1)
        listener.listen(waiting)
    except OSError as error:
        raise CannotStart(
            f"{path}: can not listen there: {error.strerror}. The folder must exist."
        ) from error
    return listener


def harden() -> None:
    """No core files and no peeking (LEK-02), nothing inherited that PAM modules would look at."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise CannotStart(f"prctl(PR_SET_DUMPABLE) failed: {os.strerror(ctypes.get_errno())}")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o177)
    os.chdir("/")
    os.environ.clear()
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
