"""TLS to a real slapd: nothing is sent in the clear, nor to a server that is not the right one."""

from __future__ import annotations

import contextlib
import ssl
import time
from typing import TYPE_CHECKING

import ldap3
import pytest
from ldap3.core.exceptions import LDAPExceptionError

from integration.directories.outages import CONNECT, QUICK, SLACK, fails, login
from nightlatch.directories.bounded import Call
from nightlatch.directories.ldap_errors import LinkLost
from nightlatch.directories.ldap_link import LdapLink, Route
from nightlatch.directories.ldap_tls import trust
from nightlatch.model import Secret
from testbed import hostile
from testbed.process import wait_until
from testbed.slapd import Slapd, password_of, person_dn

if TYPE_CHECKING:
    from structlog.testing import LogCapture

    from testbed.fixtures_directories import MakeDirectory
    from testbed.pki import Pki


@pytest.mark.parametrize("way", ["ldaps", "StartTLS"])
async def test_restart_between_logins_is_not_noticed(
    slapd: Slapd, make_directory: MakeDirectory, directory_log: LogCapture, way: str
) -> None:
    """A kept connection that a restart cut is made anew, once, without a word, and with StartTLS again."""
    urls = {"urls": [slapd.url], "start_tls": True} if way == "StartTLS" else {}
    directory = make_directory(slapd.settings(**urls))
    await login(directory)
    slapd.restart()
    await login(directory)
    assert directory_log.entries == []
    assert slapd.binds_in_the_clear() == 0


async def test_a_cut_connection_is_not_opened_again(slapd: Slapd, pki: Pki) -> None:
    """A connection with StartTLS that was cut stays cut: ldap3 would open it again, without TLS, and bind."""
    route = Route(slapd.url, trust(pki.ca), connect_timeout=3, operation_timeout=3)
    link = LdapLink(route, Call(time.monotonic() + 10))
    assert link.bind(person_dn("alice"), Secret(password_of("alice"))).success
    slapd.restart()
    for _ in range(2):
        with pytest.raises(LinkLost):
            link.bind(person_dn("alice"), Secret(password_of("alice")))
    link.close()
    assert slapd.binds_in_the_clear() == 0


async def test_the_test_bed_notices_a_bind_in_the_clear(slapd: Slapd) -> None:
    """What the tests above count is really counted: a bind without TLS is refused and logged."""
    with contextlib.suppress(LDAPExceptionError):
        ldap3.Connection(slapd.url, person_dn("alice"), password_of("alice"), auto_bind=True)
    wait_until(lambda: slapd.binds_in_the_clear() == 1, "the bind in the log")


@pytest.mark.parametrize("way", ["ldaps", "StartTLS"])
@pytest.mark.parametrize(
    "wrong",
    [("expired", "has expired"), ("wrong_host", "for another"), ("untrusted", "unknown CA")],
    ids=lambda wrong: wrong[0],
)
async def test_certificates(
    slapd: Slapd, pki: Pki, make_directory: MakeDirectory, wrong: tuple[str, str], way: str
) -> None:
    """A wrong certificate is unavailable, with its reason, before any password is sent; a right one works."""
    urls = {"urls": [slapd.url], "start_tls": True} if way == "StartTLS" else {}
    directory = make_directory(slapd.settings(**urls))
    slapd.restart(getattr(pki, wrong[0]))
    binds = slapd.log().count(" BIND ")
    await fails(directory.find("alice"), wrong[1], within=SLACK)
    assert slapd.log().count(" BIND ") == binds
    slapd.restart(pki.server)
    await login(directory)


async def test_certificate_for_the_name_is_not_for_the_address(
    slapd: Slapd, pki: Pki, make_directory: MakeDirectory
) -> None:
    """The host of the URL counts, name or address, and no name that the server claims."""
    directory = make_directory(slapd.settings(urls=[f"ldaps://localhost:{slapd.tls_port}"]))
    slapd.restart(pki.wrong_host)
    await fails(directory.find("alice"), "for another host name", within=SLACK)


async def test_old_tls_is_refused(pki: Pki, slapd: Slapd, make_directory: MakeDirectory) -> None:
    """A server that speaks nothing newer than TLS 1.1 is not talked to."""
    context = hostile.server_context(pki)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with hostile.serving(hostile.silence, context) as (port, seen):
        directory = make_directory(slapd.settings(urls=[f"ldaps://127.0.0.1:{port}"], **QUICK))
        await fails(directory.find("alice"), "TLS handshake", within=SLACK)
        assert not seen


@pytest.mark.parametrize("behaviour", [hostile.no_start_tls, hostile.false_start_tls])
async def test_stripped_start_tls(
    slapd: Slapd, make_directory: MakeDirectory, behaviour: hostile.Behaviour
) -> None:
    """Where StartTLS fails, no bind follows: the service password is never sent in the clear."""
    async with hostile.serving(behaviour) as (port, seen):
        directory = make_directory(slapd.settings(urls=[f"ldap://127.0.0.1:{port}"], start_tls=True, **QUICK))
        await fails(directory.find("alice"), "refused StartTLS|did not answer", within=CONNECT + SLACK)
        assert b"1.3.6.1.4.1.1466.20037" in seen
        assert b"nightlatch" not in seen
    assert slapd.binds_in_the_clear() == 0
