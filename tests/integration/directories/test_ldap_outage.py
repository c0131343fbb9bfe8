"""LDAP servers that are away, hang, or are not who they should be: unavailable in time, and back."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from integration.directories.outages import ANSWER, CONNECT, QUICK, SLACK, fails, login
from nightlatch.errors import Refused, Unavailable
from nightlatch.model import Account, Secret
from testbed import hostile
from testbed.ports import free_port
from testbed.slapd import Slapd, password_of, person_dn

if TYPE_CHECKING:
    from structlog.testing import LogCapture

    from testbed.fixtures_directories import MakeDirectory
    from testbed.pki import Pki


async def test_stopped_and_back(
    slapd: Slapd, make_directory: MakeDirectory, directory_log: LogCapture
) -> None:
    """A stopped slapd is unavailable, also to a password check; started again, the next login works."""
    directory = make_directory(slapd.settings(**QUICK))
    alice = await directory.find("alice")
    assert alice is not None
    slapd.stop()
    await fails(directory.find("alice"), "refused the connection", within=SLACK)
    await fails(directory.check_password(alice, Secret("wrong")), "refused the connection", within=SLACK)
    await fails(directory.health(), "refused the connection", within=SLACK)
    slapd.start()
    await login(directory)
    assert [entry["event"] for entry in directory_log.entries] == [
        "directory.server_failed",
        "directory.server_works_again",
    ]
    assert directory_log.entries[0]["server"] == slapd.tls_url


async def test_hanging_and_back(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """LDP-07: a hung process is unavailable within the limits, on kept and on new connections."""
    kept = make_directory(slapd.settings(**QUICK))
    fresh = make_directory(slapd.settings(**QUICK))
    alice = await kept.find("alice")
    assert alice is not None
    slapd.hang()
    await fails(kept.find("alice"), f"did not answer in {ANSWER} s", within=ANSWER + SLACK)
    await fails(fresh.find("alice"), f"did not answer in {CONNECT} s", within=CONNECT + SLACK)
    await fails(kept.check_password(alice, Secret("wrong")), "did not answer", within=CONNECT + SLACK)
    slapd.go_on()
    await login(kept)
    await login(fresh)


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
        await fails(directory.find("alice"), because, within=CONNECT + ANSWER + SLACK)
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
        await fails(directory.check_password(alice, Secret("x")), odd.because, within=SLACK)
    assert bool(directory_log.entries) is odd.failed


async def test_silence_before_tls(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """LDP-07: who accepts and never begins TLS has the time of a connection, not of an operation."""
    async with hostile.serving(hostile.silence) as (port, _):
        directory = make_directory(slapd.settings(urls=[f"ldaps://127.0.0.1:{port}"], **QUICK))
        await fails(directory.find("alice"), f"did not answer in {CONNECT} s", within=CONNECT + SLACK)


async def test_black_hole(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """LDP-07: a host that answers no SYN is given up after the connect limit."""
    with hostile.black_hole() as port:
        directory = make_directory(slapd.settings(urls=[f"ldaps://127.0.0.1:{port}"], **QUICK))
        await fails(directory.find("alice"), f"did not answer in {CONNECT} s", within=CONNECT + SLACK)


async def test_unknown_host_name(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """A host name that does not resolve is an outage like any other."""
    directory = make_directory(slapd.settings(urls=["ldaps://dc1.does-not-exist.invalid"]))
    await fails(directory.find("alice"), "can not be reached|no answer", within=10)


async def test_failover(slapd: Slapd, make_directory: MakeDirectory, directory_log: LogCapture) -> None:
    """With a server in a black hole and one refused, the third answers; only the first login waits."""
    with hostile.black_hole() as port:
        urls = [f"ldaps://127.0.0.1:{port}", f"ldaps://127.0.0.1:{free_port()}", slapd.tls_url]
        directory = make_directory(slapd.settings(urls=urls, connect_timeout=2.5))
        await login(directory)
        start = time.monotonic()
        await login(directory)
        assert time.monotonic() - start < 2.5
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
        await fails(
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
        await fails(directory.find("alice"), "did not answer|no answer", within=CONNECT + ANSWER + SLACK)


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
