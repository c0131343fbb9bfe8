"""The servers that DNS names for a service: SRV records (RFC 2782), and the addresses of their hosts.

MUST 1: every look-up ends by its deadline.
MUST 2: "there is none" is an answer, and is never mixed up with a DNS that does not answer.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.resolver
from dns.nameserver import Do53Nameserver

from nightlatch.errors import NightlatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Address = tuple[str, int]
"""An IP address and a port."""

MOST_TARGETS = 64
"""Records that are looked at; more are left out."""


class DnsFailed(NightlatchError):
    """Nobody could tell. `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """One SRV record."""

    priority: int
    """Lower ones come first."""
    weight: int
    """Among equals, how often it should come first."""
    port: int
    host: str
    """In lower case, without the dot at the end."""


class Dns:
    """Asks DNS until a deadline. Used for one round of questions."""

    def __init__(
        self, servers: tuple[Address, ...], seconds: float, steady: Callable[[], float] = time.monotonic
    ) -> None:
        """`servers` empty: those of the machine. `seconds` for all questions together; raises DnsFailed."""
        self._steady = steady
        self._end = steady() + seconds
        try:
            self._resolver = dns.resolver.Resolver(configure=not servers)
        except (dns.exception.DNSException, OSError):
            raise DnsFailed("this machine has no usable /etc/resolv.conf; set dns_servers") from None
        if servers:
            self._resolver.nameservers = [Do53Nameserver(address, port) for address, port in servers]
        self._resolver.timeout = max(seconds / 3, 0.1)  # of one server, so that the next has its chance

    def services(self, name: str) -> tuple[tuple[Target, ...], float]:
        """The SRV records of a name, and the seconds they are good for; none where there are none."""
        records, seconds = self._ask(name, "SRV")
        targets = [
            Target(each.priority, each.weight, each.port, each.target.to_text(omit_final_dot=True).lower())
            for each in records[:MOST_TARGETS]
        ]
        return tuple(target for target in targets if target.host not in {"", "."}), seconds

    def address(self, host: str) -> tuple[str, float]:
        """An address of a host, and the seconds it is good for; an empty one where it has none."""
        for kind in ("A", "AAAA"):
            records, seconds = self._ask(host, kind)
            if records:
                return str(records[0].address), seconds
        return "", 0.0

    def _ask(self, name: str, kind: str) -> tuple[list[Any], float]:
        left = self._end - self._steady()
        if left <= 0:
            raise DnsFailed(f"DNS did not answer in time about {name}")
        try:
            answer = self._resolver.resolve(f"{name}.", kind, lifetime=left, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return [], 0.0
        except dns.exception.Timeout:
            raise DnsFailed(f"DNS did not answer in time about {name}") from None
        except (dns.exception.DNSException, OSError) as error:
            raise DnsFailed(f"DNS could not tell {kind} of {name} ({type(error).__name__})") from None
        return list(answer), float(answer.rrset.ttl if answer.rrset is not None else 0)


def in_order(targets: Iterable[Target], draw: Callable[[int], int]) -> tuple[Target, ...]:
    """Targets as RFC 2782 wants them tried: by priority, and among equals drawn by weight.

    `draw` gives a number from 0 to its argument, both included.
    """
    ordered: list[Target] = []
    # A weight of 0 goes first, so that it has a small chance and no more.
    waiting = sorted(targets, key=lambda target: (target.priority, target.weight != 0))
    while waiting:
        equals = [target for target in waiting if target.priority == waiting[0].priority]
        number = draw(sum(target.weight for target in equals))
        chosen = equals[-1]
        for target in equals:
            number -= target.weight
            if number <= 0:
                chosen = target
                break
        ordered.append(chosen)
        waiting.remove(chosen)
    return tuple(ordered)
