"""The listener for applications: its files, its clients, and what a reload changes of them.

MUST 1: new files that are not right change nothing, and are told; the old ones stay (API-01).
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from nightlatch.app.role_rights import with_role
from nightlatch.config.applications import split_address
from nightlatch.config.files import FileChecker
from nightlatch.errors import SettingsProblems
from nightlatch.rpc.rights import Client, Clients, Rights, methods_named
from nightlatch.rpc.sockets import make_tcp_socket
from nightlatch.rpc.tls_acceptor import TlsAcceptor
from nightlatch.rpc.trust import TlsFiles, Trust, open_trust

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from nightlatch.app.core import Core
    from nightlatch.config import Config
    from nightlatch.config.applications import ApplicationsListener, ClientSettings
    from nightlatch.rpc.passing import Route

WATCH_SECONDS = 5.0
"""Between two looks at the files, and at who is still welcome."""
WARN_DAYS = 14
_DAY = 86_400.0


class Applications:
    """The door for applications, in front of whatever configuration is current."""

    def __init__(self, core: Callable[[], Core], route: Route, now: Callable[[], float]) -> None:
        self._core = core
        self._log = route.log
        self._now = now
        self._said: dict[str, float] = {}
        settings = self._settings()
        assert settings is not None  # else there is no such listener
        self._files = tls_files(settings)
        self._seen = self._state()
        self.address = settings.address
        trust = open_trust(self._files)
        self._loaded(trust)
        self._trust = trust
        self.door = TlsAcceptor(route, trust, self._clients(), now)

    def socket(self, *, shared: bool) -> socket.socket:
        """A new listening socket at the configured address; raises ConfigError. See `listening_at`."""
        return listening_at(self.address, shared=shared)

    def renew(self) -> None:
        """Take over files and clients of the current configuration, which was found right a moment ago."""
        settings = self._settings()
        if settings is not None:
            self._files = tls_files(settings)
            self._seen = self._state()
        self._take(self._open())

    async def keep_watch(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Take in files that have changed, and end the connections of those who are no longer welcome."""
        while True:
            await sleep(WATCH_SECONDS)
            state = self._state()
            if state != self._seen:
                self._seen = state
                self._take(await asyncio.to_thread(self._open))
            else:
                self.door.judge()
            self._warn()

    def _state(self) -> object:
        """Changes with the files, and with who may read the key."""
        with suppress(OSError):
            return self._files.state(), self._files.key.stat().st_mode
        return self._files.state()

    def _open(self) -> Trust | None:
        """What the files say; None when they are not right."""
        try:
            self._check_owner()
            return open_trust(self._files)
        except SettingsProblems as error:
            problems = error.lines()
        except OSError as error:  # a watch that ended would look at no revocation list any more
            problems = [f"a file or folder can not be looked at: {error.strerror}."]
        self._log.error("certificates.refused", problems=problems, kept="the old ones")
        return None

    def _check_owner(self) -> None:
        """Refuse a key that the next start would refuse; raises SettingsProblems."""
        owners = {0, os.geteuid(), self._core().config.daemon.state_dir.stat().st_uid}
        wrong = FileChecker(frozenset(owners)).tls_key(self._files.key)
        if wrong:
            raise SettingsProblems((("key_file", wrong),))

    def _take(self, trust: Trust | None) -> None:
        if trust is not None:
            self._trust = trust
            self._loaded(trust)
        self.door.renew(self._trust, self._clients())

    def _loaded(self, trust: Trust) -> None:
        self._said.clear()
        self._log.info(
            "certificates.loaded",
            certificate_days=round((trust.certificate_until - self._now()) / _DAY, 1),
            crl_days=trust.lists_until and round((trust.lists_until - self._now()) / _DAY, 1),
        )

    def _warn(self) -> None:
        """What is about to end or has ended, each once a day."""
        now = self._now()
        if self._trust.certificate_until < now + WARN_DAYS * _DAY and self._due("certificate.ends", now):
            days = round((self._trust.certificate_until - now) / _DAY, 1)
            self._log.warning("certificate.ends", file=str(self._files.certificate), days=days)
        outdated = self._trust.lists_until is not None and self._trust.lists_until < now
        if outdated and self._due("crl.outdated", now):
            self._log.error("crl.outdated", file=str(self._files.crl), effect="no application is let in")

    def _due(self, event: str, now: float) -> bool:
        if now - self._said.get(event, 0.0) < _DAY:
            return False
        self._said[event] = now
        return True

    def _settings(self) -> ApplicationsListener | None:
        return self._core().config.listeners.applications

    def _clients(self) -> Clients:
        config = self._core().config
        return Clients(_client(one, config) for one in config.clients)


def listening_at(address: str, *, shared: bool = False) -> socket.socket:
    """A new listening socket, `shared` between the workers of one daemon; raises ConfigError."""
    return make_tcp_socket(*split_address(address), "listeners.applications.address", shared=shared)


def tls_files(settings: ApplicationsListener) -> TlsFiles:
    """The files of the listener."""
    return TlsFiles(settings.certificate_file, settings.key_file, settings.client_ca_file, settings.crl_file)


def _client(settings: ClientSettings, config: Config) -> Client:
    """A client of the configuration, as the listener knows it."""
    rights = Rights(
        methods=frozenset(method for right in settings.methods for method in methods_named(right)),
        services=frozenset(settings.services if settings.services is not None else (settings.name,)),
        directories=None if settings.directories is None else frozenset(settings.directories),
        sets_source=settings.may_set_source,
        knows_enrollment=settings.may_know_enrollment,
        requests_per_second=settings.requests_per_second,
        over_administrators="admin" in settings.methods,
        concurrent=settings.concurrent,
        connections=settings.connections,
    )
    return Client(settings.name, settings.san, with_role(config, settings.name, rights))
