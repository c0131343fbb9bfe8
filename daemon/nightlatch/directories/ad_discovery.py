"""The domain controllers that DNS names, looked up again as often as DNS wants.

MUST 1: a controller's name lies in the configured domain. DNS can be forged: its names are believed only
        as far as certificates for them are a proof of being a controller of this domain.
MUST 2: a DNS that fails, or that names nobody, takes no controller away.
MUST 3: a look-up runs beside the logins, and none waits for it longer than its deadline.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.directories.failover import Failover
from nightlatch.directories.ldap_server import LdapServer
from nightlatch.directories.srv import Dns, DnsFailed, in_order
from nightlatch.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    import structlog

    from nightlatch.directories.srv import Address, Target

MOST_CONTROLLERS = 8
"""Controllers that are used at the same time, as many as can be configured by hand."""
SHORTEST, LONGEST = 30.0, 3600.0
"""Seconds between two look-ups, whatever DNS says."""
AGAIN = 5.0
"""Seconds until the next look-up where there is no controller at all."""

_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII)
_NAMES = ("_ldap._tcp.dc._msdcs.{domain}", "_ldap._tcp.{domain}")


@dataclass(frozen=True, slots=True)
class Domain:
    """Which controllers are looked for, and how."""

    name: str
    dns_servers: tuple[Address, ...]
    start_tls: bool
    """Whether the port of the record is used, with StartTLS; else 636."""
    seconds: float
    """For all questions of one look-up."""


Controller = tuple[str, str]
"""The URL and the address."""


class DomainControllers(Failover[LdapServer]):
    """The servers of a domain. Safe to use from many threads."""

    def __init__(
        self,
        domain: Domain,
        make: Callable[[str, str], LdapServer],
        draw: Callable[[int], int],
        log: structlog.stdlib.BoundLogger,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`make` builds a server from its URL and address; `draw` is that of `srv.in_order`."""
        super().__init__((), steady)
        self._domain = domain
        self._make = make
        self._draw = draw
        self._log = log
        self._looking = threading.Lock()
        self._done: threading.Event | None = None
        self._due = steady()
        self._targets: frozenset[Target] = frozenset()
        self._chosen: tuple[Target, ...] = ()
        self._made: dict[Controller, LdapServer] = {}
        self._problem = ""

    def order(self) -> tuple[LdapServer, ...]:
        """All controllers, those that are believed to work first; raises Unavailable where none is known."""
        done = self._look_up_if_due()
        if done is not None and not self.all:
            done.wait(self._domain.seconds)
        if not self.all:
            raise Unavailable(f"domain {self._domain.name}", self._problem or "DNS did not answer in time")
        return super().order()

    def _look_up_if_due(self) -> threading.Event | None:
        """What is set when the running look-up is done, if one runs."""
        with self._looking:
            if self._done is None and self._steady() >= self._due:
                self._done = threading.Event()
                threading.Thread(target=self._look_up, args=(self._done,), daemon=True).start()
            return self._done

    def _look_up(self, done: threading.Event) -> None:
        pause = SHORTEST if self.all else AGAIN
        try:
            pause = self._take(Dns(self._domain.dns_servers, self._domain.seconds))
        except DnsFailed as error:
            if error.reason != self._problem:
                kept = [server.url for server in self.all]
                self._log.warning("directory.discovery_failed", reason=error.reason, kept=kept)
            self._problem = error.reason
        finally:
            with self._looking:
                self._due, self._done = self._steady() + pause, None
            done.set()

    def _take(self, dns: Dns) -> float:
        """Look up, and use what was found; for how many seconds. Raises DnsFailed."""
        targets, seconds = self._named(dns)
        if frozenset(targets) != self._targets:  # else the order stays, and connections with it
            self._chosen = in_order(targets, self._draw)[:MOST_CONTROLLERS]
        found: list[Controller] = []
        for target in self._chosen:
            address, good = self._address(dns, target)
            if address:
                found.append((self._url(target), address))
                seconds = min(seconds, good)
        if not found:
            raise DnsFailed(f"no controller of {self._domain.name} has an address in DNS")
        self._targets, self._problem = frozenset(targets), ""
        self._use(tuple(dict.fromkeys(found)))
        return min(max(seconds, SHORTEST), LONGEST)

    def _named(self, dns: Dns) -> tuple[tuple[Target, ...], float]:
        for pattern in _NAMES:
            targets, seconds = dns.services(pattern.format(domain=self._domain.name))
            ours = tuple(target for target in targets if self._is_ours(target.host))
            if len(ours) < len(targets):
                self._log.warning("directory.controller_elsewhere", domain=self._domain.name)
            if ours:
                return ours, seconds
        raise DnsFailed(f"DNS names no controller whose name lies in {self._domain.name}")

    def _is_ours(self, host: str) -> bool:
        return _HOST.fullmatch(host) is not None and host.endswith(f".{self._domain.name}")

    def _address(self, dns: Dns, target: Target) -> tuple[str, float]:
        """Where a controller is; where it was, when DNS can not tell."""
        try:
            return dns.address(target.host)
        except DnsFailed:
            known = dict(self._made.keys())
            return known.get(self._url(target), ""), SHORTEST

    def _url(self, target: Target) -> str:
        return (
            f"ldap://{target.host}:{target.port}" if self._domain.start_tls else f"ldaps://{target.host}:636"
        )

    def _use(self, found: tuple[Controller, ...]) -> None:
        if set(found) == set(self._made):
            return
        before = self._made
        self._made = {each: before.get(each) or self._make(*each) for each in found}
        self.replace(tuple(self._made.values()))
        for each, server in before.items():
            if each not in self._made:
                server.close()
        self._log.info("directory.controllers_found", controllers=[url for url, _ in found])
