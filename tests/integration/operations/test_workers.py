"""Metrics and traces of a daemon with several processes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from testbed.front_door import Person
from testbed.ports import free_port
from testbed.process import wait_until
from testbed.telemetry import Scraper

if TYPE_CHECKING:
    from integration.operations.conftest import Watched

LOGINS = 12


def two_ports() -> int:
    """A free port behind which the next one is free too."""
    while True:
        port = free_port()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def test_each_worker_has_its_metrics_and_its_traces(watched: Watched) -> None:
    """Two ports, each with what its own process did: together every login; traces come from both."""
    daemon, port = watched.installation.daemon, two_ports()
    daemon.stop()
    text = daemon.config.read_text().replace("[daemon]\n", "[daemon]\nworkers = 2\n")
    daemon.config.write_text(text.replace(f"127.0.0.1:{watched.scraper.port}", f"127.0.0.1:{port}"))
    daemon.start()
    workers = (Scraper(port), Scraper(port + 1))
    for _ in range(LOGINS):
        with daemon.channel() as channel:
            Person(channel, service="sudo").begin()
            Person(channel, service="sudo").password("wrong")
    ended = [one.values("nightlatch_logins_total", outcome="refused", service="sudo") for one in workers]
    locked = [one.values("nightlatch_logins_total", outcome="locked", service="sudo") for one in workers]
    assert sum(ended) + sum(locked) == LOGINS
    starts = {one.values("process_start_time_seconds") for one in workers}
    resident = [one.values("process_resident_memory_bytes") for one in workers]
    assert len(starts) == 2
    assert min(resident) > 1e6

    def traced() -> int:
        return sum(one.name == "LoginService/AnswerLogin" for one in watched.posts.spans())

    wait_until(lambda: traced() == LOGINS, "the spans of both workers")
