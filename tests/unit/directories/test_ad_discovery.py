"""Domain controllers from DNS: which are believed, and what happens when DNS changes its mind or fails."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

import pytest
import structlog
from structlog.testing import LogCapture

from nightlatch.directories.ad_discovery import Domain, DomainControllers
from nightlatch.directories.ldap_link import Route
from nightlatch.directories.ldap_server import LdapServer
from nightlatch.errors import Unavailable
from nightlatch.model import Secret
from testbed.dns_server import DnsServer
from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

DOMAIN = "example.test"


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    """A DNS that knows dc1 to dc3 and their addresses, and has the first two for controllers."""
    with DnsServer() as server:
        for number in (1, 2, 3):
            server.put(f"dc{number}.{DOMAIN}", "A", f"192.0.2.{number}")
        server.controllers(DOMAIN, f"0 0 389 dc1.{DOMAIN}.", f"1 0 3890 dc2.{DOMAIN}.")
        yield server


class Found:
    """Controllers with a clock of their own."""

    def __init__(self, dns: DnsServer, *, start_tls: bool = False, seconds: float = 2) -> None:
        self.now = 1000.0
        self.log = LogCapture()
        self.addresses: dict[str, str] = {}
        host, port = dns.address.split(":")
        self.controllers = DomainControllers(
            Domain(DOMAIN, ((host, int(port)),), start_tls, seconds),
            self._make,
            lambda most: most,
            structlog.wrap_logger(structlog.ReturnLogger(), processors=[self.log]),
            lambda: self.now,
        )

    def _make(self, url: str, address: str) -> LdapServer:
        self.addresses[url] = address
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return LdapServer(Route(url, context, 1, 1, address), ("nobody", Secret("x")), keep=1)

    def urls(self) -> list[str]:
        """What would be asked now, in order."""
        return [server.url for server in self.controllers.order()]

    def become(self, urls: list[str]) -> None:
        """Wait until the look-up that runs beside has brought these."""
        wait_until(lambda: self.urls() == urls, f"{urls}")

    def later(self, seconds: float) -> None:
        """Time passes once no look-up is under way: one that is would count as made then."""
        wait_until(lambda: self.controllers._done is None, "the end of the look-up")
        self.now += seconds

    def events(self) -> list[str]:
        """What was logged."""
        return [entry["event"] for entry in self.log.entries]


ONE, TWO, THREE = (f"ldaps://dc{number}.{DOMAIN}:636" for number in (1, 2, 3))


def test_ldaps_on_its_port_or_start_tls_on_the_records(dns: DnsServer) -> None:
    """Hosts are asked by priority: with ldaps on 636, with StartTLS on the port of their record."""
    found = Found(dns)
    assert found.urls() == [ONE, TWO]
    assert found.addresses == {ONE: "192.0.2.1", TWO: "192.0.2.2"}
    assert Found(dns, start_tls=True).urls() == [f"ldap://dc1.{DOMAIN}:389", f"ldap://dc2.{DOMAIN}:3890"]


def test_the_plain_name_where_there_is_no_other(dns: DnsServer) -> None:
    """Without _msdcs the records of _ldap._tcp.DOMAIN count."""
    dns.controllers(DOMAIN)
    dns.put(f"_ldap._tcp.{DOMAIN}", "SRV", f"0 0 389 dc3.{DOMAIN}.")
    assert Found(dns).urls() == [THREE]


@pytest.mark.parametrize(
    "host", ["dc1.evil.test", "example.test", "dc1.notexample.test", "dc1.example.test.evil.test"]
)
def test_names_outside_the_domain_are_not_believed(dns: DnsServer, host: str) -> None:
    """MUST 1: a forged record that names a host elsewhere is left out, and alone it is an outage."""
    dns.put(host, "A", "192.0.2.66")
    dns.controllers(DOMAIN, f"0 0 389 {host}.", f"1 0 389 dc2.{DOMAIN}.")
    found = Found(dns)
    assert found.urls() == [TWO]
    assert "directory.controller_elsewhere" in found.events()
    dns.controllers(DOMAIN, f"0 0 389 {host}.")
    with pytest.raises(Unavailable, match="whose name lies in example"):
        Found(dns).urls()


def test_a_changed_list_is_taken_in_beside_the_logins(dns: DnsServer) -> None:
    """When the time to live is over, a login goes on with the old list, and a later one has the new."""
    dns.controllers(DOMAIN, f"0 0 389 dc1.{DOMAIN}.", f"1 0 389 dc2.{DOMAIN}.", ttl=100)
    found = Found(dns)
    first, second = found.controllers.order()
    dns.controllers(DOMAIN, f"0 0 389 dc2.{DOMAIN}.", f"1 0 389 dc3.{DOMAIN}.", ttl=100)
    found.later(99)
    asked = len(dns.asked)
    assert found.urls() == [ONE, TWO]
    assert len(dns.asked) == asked
    found.later(1)
    assert found.urls() == [ONE, TWO]
    found.become([TWO, THREE])
    assert found.controllers.order()[0] is second  # and its connections with it
    assert first._searching._keep == 0  # closed
    assert found.controllers.failed(first)  # by a login that was under way: no harm


def test_an_unchanged_list_stays_as_it_is(dns: DnsServer) -> None:
    """The same records keep their order and their servers, and nothing is logged of it."""
    found = Found(dns)
    before = found.controllers.order()
    asked = len(dns.asked)
    found.later(3600)
    found.controllers.order()
    wait_until(lambda: len(dns.asked) >= asked + 3, "the second look-up")
    found.become([ONE, TWO])
    assert found.controllers.order() == before
    assert found.events() == ["directory.controllers_found"]


@pytest.mark.parametrize("failure", ["silent", "broken", "empty"])
def test_a_failing_dns_keeps_the_last_list(dns: DnsServer, failure: str) -> None:
    """MUST 2: silence, errors and an empty answer take no controller away; the log says it once."""
    found = Found(dns, seconds=0.3)
    assert found.urls() == [ONE, TWO]
    dns.silent, dns.broken = failure == "silent", failure == "broken"
    if failure == "empty":
        dns.controllers(DOMAIN)
    for _ in range(2):
        asked = len(dns.asked)
        found.later(3600)
        assert found.urls() == [ONE, TWO]
        wait_until(lambda asked=asked: len(dns.asked) > asked, "a look-up")  # type: ignore[misc]
        wait_until(lambda: found.controllers._done is None, "its end")
    assert found.urls() == [ONE, TWO]
    assert found.events() == ["directory.controllers_found", "directory.discovery_failed"]
    assert found.log.entries[1]["kept"] == [ONE, TWO]


def test_an_address_that_can_not_be_told_stays(dns: DnsServer) -> None:
    """A controller whose address DNS does not tell stays where it was, until DNS says there is none."""
    found = Found(dns, seconds=0.3)
    assert found.urls() == [ONE, TWO]
    dns.ignored.add(f"dc1.{DOMAIN}")
    found.later(3600)
    found.urls()
    wait_until(lambda: found.controllers._done is None, "the look-up")
    assert found.urls() == [ONE, TWO]
    assert found.addresses[ONE] == "192.0.2.1"
    dns.ignored.clear()
    dns.put(f"dc1.{DOMAIN}", "A")
    found.later(3600)
    found.become([TWO])


def test_no_dns_at_the_start_is_an_outage_in_time(dns: DnsServer) -> None:
    """MUST 3: nobody waits longer than the limit; DNS is asked again soon, and then it works."""
    dns.silent = True
    found = Found(dns, seconds=0.3)
    start = time.monotonic()
    with pytest.raises(Unavailable, match="DNS did not answer"):
        found.urls()
    assert time.monotonic() - start < 5
    wait_until(lambda: found.controllers._done is None, "the end of the look-up")
    dns.silent = False
    with pytest.raises(Unavailable):  # DNS has a pause
        found.urls()
    found.later(5)
    assert found.urls() == [ONE, TWO]


def test_no_more_than_eight_controllers(dns: DnsServer) -> None:
    """Of a large domain eight controllers are used, those that DNS prefers."""
    hosts = [f"many{number}.{DOMAIN}" for number in range(20)]
    for number, host in enumerate(hosts):
        dns.put(host, "A", f"192.0.2.{number + 100}")
    dns.controllers(DOMAIN, *(f"{number} 0 389 {host}." for number, host in enumerate(hosts)))
    assert Found(dns).urls() == [f"ldaps://{host}:636" for host in hosts[:8]]
