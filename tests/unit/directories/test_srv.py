"""SRV records: the order in which they want to be tried, and a DNS that answers or does not."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest

from nightlatch.directories.srv import Dns, DnsFailed, Target, in_order
from testbed.dns_server import DnsServer
from testbed.ports import free_port

NAME = "_ldap._tcp.example.test"


def _dns(server: DnsServer, seconds: float = 3) -> Dns:
    host, port = server.address.split(":")
    return Dns(((host, int(port)),), seconds)


def test_priority_goes_before_weight() -> None:
    """A target of a lower priority number comes first, whatever the weights and the luck are."""
    targets = [Target(20, 65535, 389, "spare"), Target(10, 0, 389, "light"), Target(10, 65535, 389, "heavy")]
    for seed in range(50):
        draw = random.Random(seed)  # noqa: S311 - the same luck in every run
        ordered = in_order(targets, lambda most, draw=draw: draw.randint(0, most))  # type: ignore[misc]
        assert ordered[2].host == "spare"
        assert sorted(target.host for target in ordered) == ["heavy", "light", "spare"]


def test_weight_is_the_share_of_first_places() -> None:
    """Of equals, the one with three times the weight comes first about three times as often."""
    targets = [Target(0, 75, 389, "large"), Target(0, 25, 389, "small"), Target(0, 0, 389, "none")]
    draw = random.Random(1)  # noqa: S311 - the same luck in every run
    first = Counter(in_order(targets, lambda most: draw.randint(0, most))[0].host for _ in range(2000))
    assert 0.70 < first["large"] / 2000 < 0.80
    assert 0.20 < first["small"] / 2000 < 0.30
    assert 0 < first["none"] < 60


def test_weights_of_zero_are_all_tried() -> None:
    """Targets without weights are all there, and none is there twice."""
    targets = tuple(Target(0, 0, 389, f"dc{number}") for number in range(5))
    assert set(in_order(targets, lambda most: most)) == set(targets)
    assert len(in_order(targets, lambda most: most)) == 5
    assert in_order((), lambda most: most) == ()


def test_records_and_how_long_they_are_good() -> None:
    """Records come with their time to live, hosts in lower case and without the last dot."""
    with DnsServer() as server:
        server.put(NAME, "SRV", "5 10 389 DC1.Example.Test.", "6 0 3890 dc2.example.test.", ttl=321)
        server.put("dc1.example.test", "A", "192.0.2.1", ttl=99)
        server.put("dc2.example.test", "AAAA", "2001:db8::2", ttl=98)
        found, seconds = _dns(server).services(NAME)
        assert set(found) == {Target(5, 10, 389, "dc1.example.test"), Target(6, 0, 3890, "dc2.example.test")}
        assert seconds == 321
        assert _dns(server).address("dc1.example.test") == ("192.0.2.1", 99)
        assert _dns(server).address("dc2.example.test") == ("2001:db8::2", 98)


def test_none_is_an_answer() -> None:
    """A name that does not exist, that has other records, or whose target is ".", has no servers."""
    with DnsServer() as server:
        assert _dns(server).services(NAME)[0] == ()
        server.put(NAME, "TXT", '"something else"')
        assert _dns(server).services(NAME)[0] == ()
        server.put(NAME, "SRV", "0 0 0 .")
        assert _dns(server).services(NAME)[0] == ()
        assert _dns(server).address("nobody.example.test")[0] == ""


def test_no_answer_is_a_failure_in_time() -> None:
    """A DNS that is silent, that breaks, or that is not there fails within the seconds that it has."""
    with DnsServer() as server:
        for state in ("silent", "broken"):
            server.silent, server.broken = state == "silent", state == "broken"
            start = time.monotonic()
            with pytest.raises(DnsFailed):
                _dns(server, 0.4).services(NAME)
            assert time.monotonic() - start < 5
    with pytest.raises(DnsFailed):
        Dns((("127.0.0.1", free_port()),), 0.4).services(NAME)


def test_all_questions_share_one_deadline() -> None:
    """When the time is over, the next question is not asked any more."""
    now = [100.0]
    with DnsServer() as server:
        host, port = server.address.split(":")
        dns = Dns(((host, int(port)),), 3, steady=lambda: now[0])
        dns.services(NAME)
        now[0] += 3
        with pytest.raises(DnsFailed, match="in time"):
            dns.address("dc1.example.test")
        assert server.asked == [NAME]


def test_a_second_dns_server_helps_out() -> None:
    """Where the first DNS server is silent, the second answers within the time of all."""
    with DnsServer() as silent, DnsServer() as server:
        silent.silent = True
        server.put(NAME, "SRV", "0 0 389 dc1.example.test.")
        addresses = [
            (host, int(port)) for host, port in (each.address.split(":") for each in (silent, server))
        ]
        found, _ = Dns(tuple(addresses), 1.5).services(NAME)
        assert [target.host for target in found] == ["dc1.example.test"]
