"""Domain controllers that are away, hang or are forged, named by hand and by DNS: logins go on, or say so."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Refused, Unavailable
from nightlatch.model import Secret
from testbed import hostile
from testbed.dns_server import DnsServer
from testbed.ports import own_part
from testbed.process import wait_until
from testbed.samba import DOMAIN, Samba, free_address, password_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structlog.testing import LogCapture

    from nightlatch.ports import Directory
    from testbed.fixtures_active_directory import NewName
    from testbed.fixtures_directories import MakeDirectory
    from testbed.pki import Pki

CONNECT, SLACK = 1.0, 4.0
QUICK = {"connect_timeout": CONNECT, "operation_timeout": 4.0}
LDAPS = 636


@pytest.fixture
def person(samba: Samba, new_name: NewName) -> str:
    """Somebody with a password."""
    name = new_name("person")
    samba.add_person(name)
    return name


@pytest.fixture
def dns(samba: Samba) -> Iterator[DnsServer]:
    """A DNS in which dc1 is the running controller, and the only one."""
    with DnsServer() as server:
        server.put(f"dc1.{DOMAIN}", "A", samba.address)
        server.controllers(DOMAIN, f"0 100 389 dc1.{DOMAIN}.")
        yield server


@pytest.fixture
def elsewhere(samba: Samba, pki: Pki) -> str:
    """A loopback address on which nobody serves LDAP."""
    return free_address([one for one in own_part(pki.controller_addresses) if one != samba.address])


def _found(samba: Samba, dns: DnsServer, **changes: object) -> dict[str, object]:
    """The settings that leave it to DNS to name the controllers."""
    found = {"urls": [], "domain": DOMAIN, "dns_servers": [dns.address], **QUICK}
    return samba.settings(**{**found, **changes})


async def _login(directory: Directory, name: str) -> float:
    """A right and a wrong password; the seconds until somebody was found."""
    start = time.monotonic()
    account = await directory.find(name)
    took = time.monotonic() - start
    assert account is not None
    await directory.check_password(account, Secret(password_of(name)))
    with pytest.raises(Refused):
        await directory.check_password(account, Secret("something else"))
    return took


@pytest.mark.parametrize("fault", ["dropped", "silent", "refused"])
async def test_the_first_controller_is_away(
    samba: Samba, make_directory: MakeDirectory, person: str, elsewhere: str, fault: str
) -> None:
    """LDP-07: with the first of two dead, a login takes one connect limit longer, and the next does not."""
    place = (elsewhere, LDAPS)
    async with contextlib.AsyncExitStack() as open_servers:
        if fault == "dropped":
            open_servers.enter_context(hostile.black_hole(place))
        if fault == "silent":
            await open_servers.enter_async_context(hostile.serving(hostile.silence, place=place))
        directory = make_directory(samba.settings(urls=[f"ldaps://{elsewhere}", samba.tls_url], **QUICK))
        assert await _login(directory, person) < CONNECT + SLACK
        assert await _login(directory, person) < CONNECT


async def test_the_first_controller_of_dns_is_away(
    samba: Samba, make_directory: MakeDirectory, dns: DnsServer, person: str, elsewhere: str
) -> None:
    """LDP-07: the same where DNS names them, and prefers the one that is away."""
    dns.put(f"dc2.{DOMAIN}", "A", elsewhere)
    dns.controllers(DOMAIN, f"0 100 389 dc2.{DOMAIN}.", f"1 100 389 dc1.{DOMAIN}.")
    with hostile.black_hole((elsewhere, LDAPS)):
        directory = make_directory(_found(samba, dns))
        assert await _login(directory, person) < CONNECT + SLACK
        assert await _login(directory, person) < CONNECT


async def test_a_hanging_controller_is_unavailable_and_back(
    samba: Samba, make_directory: MakeDirectory, person: str
) -> None:
    """LDP-07: a controller that hangs is an outage in time, for a wrong password too, and comes back."""
    limits = {"connect_timeout": CONNECT, "operation_timeout": CONNECT}
    directory = make_directory(samba.settings(**limits))
    account = await directory.find(person)
    assert account is not None
    samba.hang()
    try:
        for question in (
            directory.find(person),
            directory.check_password(account, Secret("wrong")),
            directory.groups(account),
        ):
            start = time.monotonic()
            with pytest.raises(Unavailable, match=r"did not answer|no answer"):
                await question
            assert time.monotonic() - start < 2 * CONNECT + SLACK
    finally:
        samba.go_on()
    await _login(directory, person)


@pytest.mark.parametrize("start_tls", [False, True], ids=["ldaps", "StartTLS"])
async def test_controllers_from_dns(
    samba: Samba,
    make_directory: MakeDirectory,
    dns: DnsServer,
    person: str,
    start_tls: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The controllers that DNS names are used, at the addresses that it tells, by their names."""
    directory = make_directory(_found(samba, dns, start_tls=start_tls))
    await _login(directory, person)
    url = f"ldap://dc1.{DOMAIN}:389" if start_tls else f"ldaps://dc1.{DOMAIN}:636"
    assert await directory.health() == f"{url} answers"
    asked = len(dns.asked)
    await _login(directory, person)
    assert len(dns.asked) == asked


async def test_dns_goes_away_after_a_login(
    samba: Samba, make_directory: MakeDirectory, directory_log: LogCapture, dns: DnsServer, person: str
) -> None:
    """Once the controllers are known, which the log says, logins do not need DNS."""
    directory = make_directory(_found(samba, dns))
    await _login(directory, person)
    dns.silent = True
    await _login(directory, person)
    assert [entry["event"] for entry in directory_log.entries] == ["directory.controllers_found"]


async def test_no_dns(samba: Samba, make_directory: MakeDirectory, dns: DnsServer, person: str) -> None:
    """Without DNS at the first login it is an outage, in time, that names DNS."""
    dns.silent = True
    directory = make_directory(_found(samba, dns))
    start = time.monotonic()
    with pytest.raises(Unavailable, match="DNS did not answer in time"):
        await directory.find(person)
    assert time.monotonic() - start < CONNECT + SLACK
    wait_until(lambda: len(dns.asked) > 0, "a question to DNS")


async def test_a_forged_address_gets_no_password(
    samba: Samba, pki: Pki, make_directory: MakeDirectory, dns: DnsServer, elsewhere: str
) -> None:
    """A machine that DNS passes off as a controller has no certificate for the name, and is told nothing."""
    dns.put(f"dc1.{DOMAIN}", "A", elsewhere)
    for pair in (pki.untrusted, pki.server):
        context = hostile.context_with(pair)
        async with hostile.serving(hostile.silence, context, (elsewhere, LDAPS)) as (_, seen):
            directory = make_directory(_found(samba, dns))
            with pytest.raises(Unavailable, match="its certificate"):
                await directory.find("whoever")
            assert bytes(seen) == b""


async def test_a_forged_name_is_not_asked(
    samba: Samba, make_directory: MakeDirectory, dns: DnsServer, person: str
) -> None:
    """A controller that DNS names outside of the domain is not even connected to."""
    dns.put("localhost.evil.test", "A", samba.address)
    dns.controllers(DOMAIN, "0 0 389 localhost.evil.test.")
    directory = make_directory(_found(samba, dns))
    with pytest.raises(Unavailable, match=f"whose name lies in {DOMAIN}"):
        await directory.find(person)
    assert "localhost.evil.test" not in dns.asked
