"""LDAP servers that are away, hang, or are not who they should be: unavailable in time, and back."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from typing import TYPE_CHECKING, NamedTuple

import ldap3
import pytest
from ldap3.core.exceptions import LDAPExceptionError

from nightlatch.directories.bounded import Call
from nightlatch.directories.ldap_errors import LinkLost
from nightlatch.directories.ldap_link import LdapLink, Route
from nightlatch.directories.ldap_tls import trust
from nightlatch.errors import Refused, Unavailable
from nightlatch.model import Account, Secret
from testbed import hostile
from testbed.ports import free_port
from testbed.process import wait_until
from testbed.slapd import Slapd, password_of, person_dn

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from structlog.testing import LogCapture

    from nightlatch.ports import Directory
    from testbed.fixtures_directories import MakeDirectory
    from testbed.pki import Pki

QUICK = {"connect_timeout": 0.3, "operation_timeout": 0.5}
CONNECT, ANSWER, SLACK = 0.3, 0.5, 2.0


async def _fails(question: Awaitable[object], because: str, within: float) -> None:
    start = time.monotonic()
    with pytest.raises(Unavailable, match=because):
        await question
    assert time.monotonic() - start < within


async def _login(directory: Directory, name: str = "alice") -> None:
    account = await directory.find(name)
    assert account is not None
    await directory.check_password(account, Secret(password_of(name)))


async def test_stopped_and_back(
    slapd: Slapd, make_directory: MakeDirectory, directory_log: LogCapture
) -> None:
    """A stopped slapd is unavailable, also to a password check; started again, the next login works."""
    directory = make_directory(slapd.settings(**QUICK))
    alice = await directory.find("alice")
    assert alice is not None
    slapd.stop()
    await _fails(directory.find("alice"), "refused the connection", within=SLACK)
    await _fails(directory.check_password(alice, Secret("wrong")), "refused the connection", within=SLACK)
    await _fails(directory.health(), "refused the connection", within=SLACK)
    slapd.start()
    await _login(directory)
    assert [entry["event"] for entry in directory_log.entries] == [
        "directory.server_failed",
        "directory.server_works_again",
    ]
    assert directory_log.entries[0]["server"] == slapd.tls_url


@pytest.mark.parametrize("way", ["ldaps", "StartTLS"])
async def test_restart_between_logins_is_not_noticed(
    slapd: Slapd, make_directory: MakeDirectory, directory_log: LogCapture, way: str
) -> None:
    """A kept connection that a restart cut is made anew, once, without a word, and with StartTLS again."""
    urls = {"urls": [slapd.url], "start_tls": True} if way == "StartTLS" else {}
    directory = make_directory(slapd.settings(**urls))
    await _login(directory)
    slapd.restart()
    await _login(directory)
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


async def test_hanging_and_back(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """LDP-07: a hung process is unavailable within the limits, on kept and on new connections."""
    kept = make_directory(slapd.settings(**QUICK))
    fresh = make_directory(slapd.settings(**QUICK))
    alice = await kept.find("alice")
    assert alice is not None
    slapd.hang()
    await _fails(kept.find("alice"), f"did not answer in {ANSWER} s", within=ANSWER + SLACK)
    await _fails(fresh.find("alice"), f"did not answer in {CONNECT} s", within=CONNECT + SLACK)
    await _fails(kept.check_password(alice, Secret("wrong")), "did not answer", within=CONNECT + SLACK)
    slapd.go_on()
    await _login(kept)
    await _login(fresh)


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
    await _fails(directory.find("alice"), wrong[1], within=SLACK)
    assert slapd.log().count(" BIND ") == binds
    slapd.restart(pki.server)
    await _login(directory)


async def test_certificate_for_the_name_is_not_for_the_address(
    slapd: Slapd, pki: Pki, make_directory: MakeDirectory
) -> None:
    """The host of the URL counts, name or address, and no name that the server claims."""
    directory = make_directory(slapd.settings(urls=[f"ldaps://localhost:{slapd.tls_port}"]))
    slapd.restart(pki.wrong_host)
    await _fails(directory.find("alice"), "for another host name", within=SLACK)


async def test_old_tls_is_refused(pki: Pki, slapd: Slapd, make_directory: MakeDirectory) -> None:
    """A server that speaks nothing newer than TLS 1.1 is not talked to."""
    context = hostile.server_context(pki)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with hostile.serving(hostile.silence, context) as (port, seen):
        directory = make_directory(slapd.settings(urls=[f"ldaps://127.0.0.1:{port}"], **QUICK))
        await _fails(directory.find("alice"), "TLS handshake", within=SLACK)
        assert not seen


@pytest.mark.parametrize("behaviour", [hostile.no_start_tls, hostile.false_start_tls])
async def test_stripped_start_tls(
    slapd: Slapd, make_directory: MakeDirectory, behaviour: hostile.Behaviour
) -> None:
    """Where StartTLS fails, no bind follows: the service password is never sent in the clear."""
    async with hostile.serving(behaviour) as (port, seen):
        directory = make_directory(slapd.settings(urls=[f"ldap://127.0.0.1:{port}"], start_tls=True, **QUICK))
        await _fails(directory.find("alice"), "refused StartTLS|did not answer", within=CONNECT + SLACK)
        assert b"1.3.6.1.4.1.1466.20037" in seen
        assert b"nightlatch" not in seen
    assert slapd.binds_in_the_clear() == 0


@pytest.mark.parametrize(
    ("behaviour", "because"),
    [
        (hostile.silence, "did not answer in 0.5 s"),
        (hostile.reset, "closed the connection"),
        (hostile.rubbish, "no LDAP|closed the connection|something else"),
        (hostile.trickle, "no answer in 0.8 s"),
    ],
)
async def test_hostile_servers(
    slapd: Slapd, pki: Pki, make_directory: MakeDirectory, behaviour: hostile.Behaviour, because: str
) -> None:
    """LDP-07: silence, a reset in the middle of a bind, rubbish, a byte at a time: unavailable in time."""
    async with hostile.serving(behaviour, hostile.server_context(pki)) as (port, seen):
        directory = make_directory(slapd.settings(urls=[f"ldaps://127.0.0.1:{port}"], **QUICK))
        await _fails(directory.find("alice"), because, within=CONNECT + ANSWER + SLACK)
        assert seen
        start = time.monotonic()
        await directory.close()
        assert time.monotonic() - start < SLACK


class Odd(NamedTuple):
    """An answer to a bind, and what is to be made of it."""

    tag: int
    code: int
    because: str
    failed: bool


ODD = (
    Odd(0x61, 53, "unwillingToPerform", failed=False),
    Odd(0x61, 19, "constraintViolation", failed=False),
    Odd(0x61, 32, "noSuchObject", failed=False),
    Odd(0x61, 10, "referral", failed=False),
    Odd(0x61, 52, "not ready", failed=True),
    Odd(0x61, 13, "wants TLS", failed=True),
    Odd(0x65, 0, "something else", failed=True),
    Odd(0x65, 49, "something else", failed=True),
    Odd(0x78, 0, "something else|no LDAP", failed=True),
)


@pytest.mark.parametrize("odd", ODD, ids=str)
async def test_answers_that_are_neither_yes_nor_no(
    slapd: Slapd, pki: Pki, make_directory: MakeDirectory, directory_log: LogCapture, odd: Odd
) -> None:
    """What is neither yes nor no to a bind denies as an outage; a person's own state fails no server."""
    alice = Account("corp", "some-id", "alice", person_dn("alice"))
    async with hostile.serving(hostile.answers(odd.tag, odd.code), hostile.server_context(pki)) as (port, _):
        directory = make_directory(slapd.settings(urls=[f"ldaps://127.0.0.1:{port}"], **QUICK))
        await _fails(directory.check_password(alice, Secret("x")), odd.because, within=SLACK)
    assert bool(directory_log.entries) is odd.failed


async def test_silence_before_tls(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """LDP-07: who accepts and never begins TLS has the time of a connection, not of an operation."""
    async with hostile.serving(hostile.silence) as (port, _):
        directory = make_directory(slapd.settings(urls=[f"ldaps://127.0.0.1:{port}"], **QUICK))
        await _fails(directory.find("alice"), f"did not answer in {CONNECT} s", within=CONNECT + SLACK)


async def test_black_hole(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """LDP-07: a host that answers no SYN is given up after the connect limit."""
    with hostile.black_hole() as port:
        directory = make_directory(slapd.settings(urls=[f"ldaps://127.0.0.1:{port}"], **QUICK))
        await _fails(directory.find("alice"), f"did not answer in {CONNECT} s", within=CONNECT + SLACK)


async def test_unknown_host_name(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """A host name that does not resolve is an outage like any other."""
    directory = make_directory(slapd.settings(urls=["ldaps://dc1.does-not-exist.invalid"]))
    await _fails(directory.find("alice"), "can not be reached|no answer", within=10)


async def test_failover(slapd: Slapd, make_directory: MakeDirectory, directory_log: LogCapture) -> None:
    """With a server in a black hole and one refused, the third answers; only the first login waits."""
    with hostile.black_hole() as port:
        urls = [f"ldaps://127.0.0.1:{port}", f"ldaps://127.0.0.1:{free_port()}", slapd.tls_url]
        directory = make_directory(slapd.settings(urls=urls, connect_timeout=1.5))
        await _login(directory)
        start = time.monotonic()
        await _login(directory)
        assert time.monotonic() - start < 1.5
    assert [(entry["event"], entry["server"]) for entry in directory_log.entries] == [
        ("directory.server_failed", urls[0]),
        ("directory.server_failed", urls[1]),
    ]


async def test_every_server_is_named(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """When all servers fail, the reason names each with its own cause."""
    gone = f"ldaps://127.0.0.1:{free_port()}"
    async with hostile.serving(hostile.silence) as (port, _):
        silent = f"ldaps://127.0.0.1:{port}"
        directory = make_directory(slapd.settings(urls=[gone, silent], **QUICK))
        await _fails(
            directory.find("alice"),
            f"{gone} refused the connection; {silent} did not answer in 0.3 s",
            within=CONNECT + SLACK,
        )


async def test_a_hanging_directory_fills_no_memory(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """When too many wait for a hanging server, the next is unavailable at once, and room comes back."""
    async with hostile.serving(hostile.silence) as (port, _):
        directory = make_directory(slapd.settings(urls=[f"ldaps://127.0.0.1:{port}"], workers=1, **QUICK))
        results = await asyncio.gather(*(directory.find("alice") for _ in range(50)), return_exceptions=True)
        reasons = [error.reason for error in results if isinstance(error, Unavailable)]
        assert len(reasons) == 50
        assert sum("too many" in reason for reason in reasons) == 50 - 33
        await _fails(directory.find("alice"), "did not answer|no answer", within=CONNECT + ANSWER + SLACK)


async def test_a_good_login_is_not_remembered(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """LDP-08: after good logins and without a server, no password is right; long names stay apart."""
    long = "x" * 60
    slapd.add(long)
    slapd.add(f"{long}y", password="Another-Password-1")
    directory = make_directory(slapd.settings(**QUICK))
    accounts = [await directory.find(name) for name in ("alice", long, f"{long}y")]
    passwords = [password_of("alice"), password_of(long), "Another-Password-1"]
    for account, password in zip(accounts, passwords, strict=True):
        assert account is not None
        await directory.check_password(account, Secret(password))
        with pytest.raises(Refused):
            await directory.check_password(account, Secret(passwords[passwords.index(password) - 1]))
    slapd.stop()
    for account, password in zip(accounts, passwords, strict=True):
        assert account is not None
        for typed in (password, "wrong"):
            with pytest.raises(Unavailable):
                await directory.check_password(account, Secret(typed))
