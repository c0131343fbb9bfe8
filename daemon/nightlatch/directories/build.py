"""Makes a directory from its settings, and checks what only the machine can tell: its files."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.directories.failover import Failover
from nightlatch.directories.group_cache import CachedGroups
from nightlatch.directories.ldap import LdapDirectory, Place
from nightlatch.directories.ldap_link import Route
from nightlatch.directories.ldap_server import LdapServer
from nightlatch.directories.ldap_tls import trust
from nightlatch.directories.open_ldap import open_ldap
from nightlatch.directories.pam import PamDirectory
from nightlatch.directories.passwords import password_bytes
from nightlatch.directories.settings import PamSettings
from nightlatch.errors import ConfigError, Refused
from nightlatch.model import Secret

if TYPE_CHECKING:
    from pathlib import Path

    import structlog

    from nightlatch.directories.server_settings import ServerSettings
    from nightlatch.directories.settings import LdapSettings
    from nightlatch.ports import Clock, Directory

_LONGEST_FILE = 4096


def build_directory(
    settings: LdapSettings | PamSettings, log: structlog.stdlib.BoundLogger, clock: Clock
) -> Directory:
    """The directory of one ``[[directories]]`` table; raises ConfigError with every problem of its files."""
    directory = _directory(settings, log, clock)
    seconds = settings.group_cache_seconds
    return CachedGroups(directory, seconds, clock) if seconds else directory


def _directory(
    settings: LdapSettings | PamSettings, log: structlog.stdlib.BoundLogger, clock: Clock
) -> Directory:
    if isinstance(settings, PamSettings):
        return PamDirectory(settings, log, clock)
    problems: list[str] = []
    password = context = None
    try:
        password = read_password(settings.bind_password_file)
    except ConfigError as error:
        problems += error.problems
    try:
        context = trust(settings.ca_file)
    except ConfigError as error:
        problems += error.problems
    if password is None or context is None:
        raise ConfigError(tuple(f'directories "{settings.name}": {problem}' for problem in problems))
    route = Route("", context, settings.connect_timeout, settings.operation_timeout)
    servers = Failover(
        [
            LdapServer(replace(route, url=url), (settings.bind_dn, password), keep=settings.workers)
            for url in settings.urls
        ]
    )
    seconds = longest_answer(settings, len(settings.urls))
    place = Place(settings.name, settings.base, settings.workers, seconds)
    return LdapDirectory(place, servers, open_ldap(settings), log, clock)


def longest_answer(settings: ServerSettings, servers: int) -> float:
    """Seconds after which nobody waits for an answer: failover to a second server and one operation."""
    return min(servers, 2) * settings.connect_timeout + settings.operation_timeout


def read_password(path: Path) -> Secret:
    """The password in a file, without the end of its line; raises ConfigError, also where others can read."""
    try:
        password = Secret(_private_content(path).decode().removesuffix("\n").removesuffix("\r"))
        password_bytes(password)
    except OSError as error:
        why = f"it can not be opened: {error.strerror}. The daemon's user must be able to."
    except UnicodeDecodeError:
        why = "it is no UTF-8 text. Write the password on its one line."
    except Refused as error:
        why = f"it holds no password ({error.reason}). Write the password on its one line."
    else:
        return password
    raise ConfigError((f"{path}: the password file is of no use: {why}",))


def _private_content(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        mode = stat.S_IMODE(status.st_mode)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError((f"{path}: this is no file. Write the password into a file of its own.",))
        if mode & 0o037:
            problem = f"{path}: others may read or change the password file (mode {mode:04o})."
            raise ConfigError((f"{problem} Run: chmod 640 {path}",))
        return os.read(descriptor, _LONGEST_FILE)
    finally:
        os.close(descriptor)
