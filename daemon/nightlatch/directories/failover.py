"""Which server is asked first: the configured order, without those that failed a moment ago."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

S = TypeVar("S")

FIRST_PAUSE = 5.0
"""Seconds for which a server is passed over after a failure; twice as long after each further one."""
LONGEST_PAUSE = 60.0


@dataclass(slots=True)
class _Record:
    failures: int = 0
    paused_until: float = 0.0


class Failover(Generic[S]):
    """A small circuit breaker over several servers. Safe to use from many threads."""

    def __init__(self, servers: Sequence[S], steady: Callable[[], float] = time.monotonic) -> None:
        self.all = tuple(servers)
        """Every server, in the configured order."""
        self._steady = steady
        self._lock = threading.Lock()
        self._records = {id(server): _Record() for server in self.all}

    def order(self) -> tuple[S, ...]:
        """All servers, those that are believed to work first.

        A server whose pause is over is offered to one caller as a trial; the others pass it over
        until that trial ended. When none works, all are still tried: a pause never makes an outage.
        """
        now = self._steady()
        with self._lock:
            ready = [server for server in self.all if self._records[id(server)].paused_until <= now]
            for server in ready:
                record = self._records[id(server)]
                if record.failures:
                    record.paused_until = now + FIRST_PAUSE
            passed_over = [server for server in self.all if server not in ready]
        return (*ready, *passed_over)

    def replace(self, servers: Sequence[S]) -> None:
        """Use other servers from now on; what is remembered of those that stay, stays."""
        with self._lock:
            before = self._records
            self._records = {id(server): before.get(id(server), _Record()) for server in servers}
            self.all = tuple(servers)

    def state(self) -> tuple[int, int]:
        """How many servers there are, and how many of them have failed when they were asked last."""
        with self._lock:
            return len(self.all), sum(record.failures > 0 for record in self._records.values())

    def failed(self, server: S) -> bool:
        """Pass `server` over for a while; True when it was believed to work until now."""
        with self._lock:
            record = self._records.get(id(server), _Record())
            pause = min(FIRST_PAUSE * 2**record.failures, LONGEST_PAUSE)
            record.failures = min(record.failures + 1, 16)
            record.paused_until = self._steady() + pause
            return record.failures == 1

    def worked(self, server: S) -> bool:
        """Believe in `server` again; True when it had failed before."""
        with self._lock:
            record = self._records.get(id(server), _Record())
            recovered = record.failures > 0
            record.failures, record.paused_until = 0, 0.0
            return recovered
