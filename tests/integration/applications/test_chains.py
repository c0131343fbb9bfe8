"""Clients whose certificates come from an intermediate CA: what is true of it is true of them (API-01)."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1 import login_pb2_grpc
from testbed.applications import PORTAL, VPN, Installation, begin, short_folder
from testbed.authority import Order, write_whole
from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.applications import Application
    from testbed.authority import Authority

VPN_NAME = Order(("dns:vpn.example.com",))


def loaded(installation: Installation, times: int) -> None:
    """Wait until the files were read so many times."""
    wait_until(lambda: len(installation.said("certificates.loaded")) == times, "the files", seconds=30)


@contextmanager
def connected(application: Application, service: str) -> Iterator[login_pb2_grpc.LoginServiceStub]:
    """A connection over which a call went through."""
    with application.channel() as channel:
        stub = login_pb2_grpc.LoginServiceStub(channel)
        stub.BeginLogin(begin(service), timeout=10)
        yield stub


def cut_off(installation: Installation) -> list[tuple[object, object]]:
    """Whose connections were ended, and why."""
    return [(one["client"], one["reason"]) for one in installation.said("client.cut_off")]


def refused(installation: Installation, application: Application, why: str) -> None:
    """See that nobody gets in with this certificate, and that TLS says why."""
    with pytest.raises(grpc.RpcError) as error:
        application.begin(seconds=5)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    wait_until(
        lambda: any(why in str(one["reason"]) for one in installation.said("tls.refused")), f"refusal: {why}"
    )


@pytest.fixture
def middle(own: Installation) -> Authority:
    """An intermediate CA below the one that the daemon believes; the daemon has read its list."""
    made = own.authority.intermediate("nl-intermediate")
    loaded(own, 2)
    return made


@pytest.mark.parametrize("what", ["the intermediate", "the client"])
def test_who_is_revoked_anywhere_in_the_chain_is_cut_off(
    own: Installation, middle: Authority, what: str
) -> None:
    """API-01, MUST 2: the root's list ends an intermediate's clients who are connected; its own ends one."""
    pair = middle.sign("vpn", VPN_NAME)
    vpn, portal = own.application(pair), own.portal()
    with connected(vpn, "vpn") as calls, connected(portal, "portal") as others:
        if what == "the client":
            middle.revoke(pair)
        else:
            own.authority.revoke(middle)
        wait_until(lambda: bool(cut_off(own)), "the end of vpn's connection", seconds=30)
        with pytest.raises(grpc.RpcError):
            calls.BeginLogin(begin(), timeout=5)
        others.BeginLogin(begin("portal"), timeout=10)
    ((client, reason),) = cut_off(own)
    issuer = "nl-intermediate" if what == "the client" else "nl-clients-ca"
    assert (client, str(reason).endswith(f"by CN={issuer} is revoked")) == ("client vpn", True), reason
    refused(own, vpn, "revoked")


def test_another_list_ends_no_connection(own: Installation, middle: Authority) -> None:
    """A list of which nobody in the chain is a part changes nothing for who is connected."""
    vpn = own.application(middle.sign("vpn", VPN_NAME))
    with connected(vpn, "vpn") as calls:
        middle.revoke(middle.sign("other", VPN_NAME))
        own.authority.revoke(own.authority.sign("another", VPN_NAME))
        loaded(own, 3)
        calls.BeginLogin(begin(), timeout=10)
    assert cut_off(own) == []


def test_an_intermediate_without_its_list_ends_its_connections(own: Installation, middle: Authority) -> None:
    """API-01, MUST 2: what can not be looked up any more is not let in, and not let stay."""
    vpn, portal = own.application(middle.sign("vpn", VPN_NAME)), own.portal()
    with connected(vpn, "vpn"), connected(portal, "portal") as others:
        write_whole(own.authority.crl_file, own.authority.list_of_revoked())
        wait_until(lambda: bool(cut_off(own)), "the end of vpn's connection", seconds=30)
        others.BeginLogin(begin("portal"), timeout=10)
    ((client, reason),) = cut_off(own)
    assert client == "client vpn"
    assert "there is no revocation list for certificate" in str(reason)
    refused(own, vpn, "unable to get certificate CRL")


def test_the_first_list_counts_for_who_is_connected(open_folder: Path) -> None:
    """API-01: with a `crl_file` that a reload brings, the chains of open connections are looked up."""
    made = Installation(short_folder(open_folder))
    middle = made.authority.intermediate("nl-intermediate")
    made.authority.revoke(middle)
    made.daemon.start()
    try:
        vpn, portal = made.application(middle.sign("vpn", VPN_NAME)), made.portal()
        with connected(vpn, "vpn"), connected(portal, "portal") as others:
            list_file = f'\ncrl_file = "{made.authority.crl_file}"\n'
            made.rewrite(list_file + VPN + PORTAL)
            made.daemon.signal(signal.SIGHUP)
            wait_until(lambda: bool(cut_off(made)), "the end of vpn's connection", seconds=30)
            others.BeginLogin(begin("portal"), timeout=10)
        assert [client for client, _ in cut_off(made)] == ["client vpn"]
    finally:
        made.daemon.stop()


def test_an_intermediate_that_is_believed_no_more(own: Installation, middle: Authority) -> None:
    """API-01: taken out of `client_ca_file`, it ends the connections that came in by it."""
    root = own.authority.file.read_bytes()
    write_whole(own.authority.file, root + middle.file.read_bytes())
    loaded(own, 3)
    pair = middle.sign("vpn", VPN_NAME)
    write_whole(pair.certificate, pair.certificate.read_bytes().removesuffix(middle.file.read_bytes()))
    vpn = own.application(pair)
    with connected(vpn, "vpn") as calls:
        write_whole(own.authority.file, root)
        wait_until(lambda: bool(own.said("client.all_cut_off")[1:]), "the end of all", seconds=30)
        with pytest.raises(grpc.RpcError):
            calls.BeginLogin(begin(), timeout=5)
    refused(own, vpn, "unable to get local issuer certificate")
    own.application(middle.sign("whole", VPN_NAME)).begin()
