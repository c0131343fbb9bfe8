"""Listening unix sockets: handed over by systemd, or made here.

MUST 1: a socket that is made here has mode 0600 unless it is for everybody, and never takes the place of a
        living daemon's.
"""

from __future__ import annotations

import os
import socket
import stat
from typing import TYPE_CHECKING

from nightlatch.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OPEN_TO_ALL = 0o666
_FIRST_FD = 3


def passed_sockets(environment: Mapping[str, str], pid: int) -> dict[str, socket.socket]:
    """The sockets that systemd passed, by FileDescriptorName (sd_listen_fds(3)); empty without any."""
    if environment.get("LISTEN_PID") != str(pid):
        return {}
    count = int(environment.get("LISTEN_FDS", "0"))
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    passed = {}
    for number in range(count):
        descriptor = _FIRST_FD + number
        listening = socket.socket(fileno=descriptor)
        listening.set_inheritable(False)
        passed[names[number] if number < len(names) else f"fd{descriptor}"] = listening
    return passed


def make_socket(path: Path, setting: str, mode: int = 0o600) -> socket.socket:
    """A listening socket at `path`; raises ConfigError that names `setting`."""
    if len(os.fsencode(path)) > 107:  # noqa: PLR2004, sun_path of unix(7) less its final NUL
        raise ConfigError((f"{setting}: {path} is longer than the 107 bytes a socket's path may have.",))
    _clear_stale(path, setting)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~mode)
    try:
        made.bind(str(path))
        made.listen(512)
    except OSError as error:
        made.close()
        raise ConfigError((_unreachable(path, setting, error),)) from error
    finally:
        os.umask(before)
    return made


def make_tcp_socket(host: str, port: int, setting: str, *, shared: bool = False) -> socket.socket:
    """A listening socket; "::" takes IPv4 as well. Raises ConfigError that names `setting`.

    Those that are `shared` listen side by side at one address, and the kernel spreads new connections over
    them (SO_REUSEPORT, socket(7)); it lets processes of one user do that and nobody else.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family is socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        made.bind((host, port))
        made.listen(512)
    except OSError as error:
        made.close()
        raise ConfigError((f"{setting}: no socket at {host}, port {port}: {error.strerror}.",)) from error
    return made


def _clear_stale(path: Path, setting: str) -> None:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ConfigError((f"{setting}: {path} is there already, and is no socket. Move it away.",))
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError((_unreachable(path, setting, error),)) from error
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigError((_unreachable(path, setting, error),)) from error
        else:
            raise ConfigError((f"{setting}: a daemon listens on {path} already. Stop it first.",))


def _unreachable(path: Path, setting: str, error: OSError) -> str:
    return (
        f"{setting}: no socket can be made at {path}: {error.strerror}. "
        f"Create {path.parent}, writable by the daemon's user, or let systemd pass the socket."
    )
