"""Makes a directory from its settings, and checks what only the machine can tell: its files."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch.directories.active_directory import active_directory
from nightlatch.directories.active_directory_settings import ActiveDirectorySettings, address_and_port
from nightlatch.directories.ad_discovery import Domain, DomainControllers
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
from nightlatch.directories.watched import WatchedDirectory
from nightlatch.errors import ConfigError, Refused
from nightlatch.model import Secret

if TYPE_CHECKING:
    from pathlib import Path

    import structlog

    from nightlatch.directories.dialect import Dialect
    from nightlatch.directories.settings import DirectorySettings, LdapSettings
    from nightlatch.ports import Clock, Directory, Randomness
    from nightlatch.watching import Watcher

_LONGEST_FILE = 4096


def build_directory(
    settings: DirectorySettings,
    log: structlog.stdlib.BoundLogger,
    clock: Clock,
    randomness: Randomness,
    watcher: Watcher | None = None,
) -> Directory:
    """The directory of one ``[[directories]]`` table; raises ConfigError with every problem of its files."""
    if isinstance(settings, PamSettings):
        directory: Directory = PamDirectory(settings, log, clock)
    else:
        servers = _servers(settings, log, randomness)
        place = Place(
            settings.name,
            settings.base,
            settings.workers,
            longest_answer(settings),
            settings.may_reset_passwords,
        )
        directory = LdapDirectory(place, servers, _dialect(settings), log, clock)
    if watcher is not None:
        directory = WatchedDirectory(directory, watcher)  # behind the cache: what is kept asks nobody
    seconds = settings.group_cache_seconds
    return CachedGroups(directory, seconds, clock) if seconds else directory


def longest_answer(settings: LdapSettings | ActiveDirectorySettings) -> float:
    """Seconds after which nobody waits for an answer: failover to a second server and one operation.

    Servers that DNS names may have to be found first.
    """
    connections = min(len(settings.urls), 2) or 3
    return connections * settings.connect_timeout + settings.operation_timeout


def _dialect(settings: LdapSettings | ActiveDirectorySettings) -> Dialect:
    if isinstance(settings, ActiveDirectorySettings):
        return active_directory(settings)
    return open_ldap(settings)


def _servers(
    settings: LdapSettings | ActiveDirectorySettings,
    log: structlog.stdlib.BoundLogger,
    randomness: Randomness,
) -> Failover[LdapServer]:
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
    account = (settings.bind_dn, password)
    route = Route("", context, settings.connect_timeout, settings.operation_timeout)

    def make(url: str, address: str = "") -> LdapServer:
        return LdapServer(replace(route, url=url, address=address), account, keep=settings.workers)

    if isinstance(settings, ActiveDirectorySettings) and settings.domain:
        return DomainControllers(
            _domain(settings.domain, settings),
            make,
            lambda most: _number(randomness, most),
            log.bind(directory=settings.name),
        )
    return Failover([make(url) for url in settings.urls])


def _domain(name: str, settings: ActiveDirectorySettings) -> Domain:
    servers = tuple(address_and_port(server) for server in settings.dns_servers)
    return Domain(name, servers, settings.start_tls, settings.connect_timeout)


def _number(randomness: Randomness, most: int) -> int:
    """A number from 0 to `most`, both included."""
    return int.from_bytes(randomness.bytes(8), "big") % (most + 1)


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
