"""Who gets in to the applications' listener: real certificates, connections and daemon (API-01)."""

from __future__ import annotations

import signal
import socket
import ssl
from typing import TYPE_CHECKING

import grpc
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from nightlatch.v1 import login_pb2_grpc
from testbed.applications import begin
from testbed.authority import SERVER, Authority, Order
from testbed.process import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.applications import Application, Installation

NAME = ("dns:vpn.example.com",)
PORTAL_ID = "uri:spiffe://example.com/portal"
ANY = (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)


def refused(installation: Installation, application: Application, why: str) -> None:
    """See that a call does not get through, and that the log tells why."""
    before = reasons(installation, why)
    with pytest.raises(grpc.RpcError) as error:
        application.begin(seconds=5)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    wait_until(lambda: reasons(installation, why) > before, f"a refusal because of: {why}")


def reasons(installation: Installation, why: str) -> int:
    """How often the daemon has refused a connection for this reason."""
    seen = [*installation.said("tls.refused"), *installation.said("listener.refused")]
    return sum(why in str(one["reason"]) for one in seen)


@pytest.mark.parametrize("sans", [NAME, ("dns:VPN.Example.com",), ("dns:other.example.com", *NAME)])
def test_a_certificate_with_a_client_s_name_is_let_in(running: Installation, sans: tuple[str, ...]) -> None:
    """One exact DNS name of the subjectAltName is enough; the case of letters is not part of a DNS name."""
    step = running.client("good", Order(sans)).begin()
    assert step.prompt.text == "Password: "


def test_a_uri_may_name_a_client(running: Installation) -> None:
    """A SPIFFE id stands for a client as well as a DNS name."""
    assert running.portal().begin("portal").prompt.text == "Password: "


@pytest.mark.parametrize(
    ("order", "why"),
    [
        pytest.param(Order(NAME, days=-1), "expired", id="expired"),
        pytest.param(Order(NAME, self_signed=True), "self", id="self-signed"),
        pytest.param(Order(NAME, usages=SERVER), "purpose", id="a server's"),
        pytest.param(Order(NAME, usages=()), "extendedKeyUsage", id="no usage"),
        pytest.param(Order(NAME, usages=ANY), "purpose", id="any usage"),
        pytest.param(Order(("dns:stranger.example.com",)), "no client has a name", id="unmapped name"),
        pytest.param(Order(("dns:*.example.com",)), "no client has a name", id="wildcard"),
        pytest.param(Order(("dns:vpn.example.com.evil.test",)), "no client has a name", id="longer name"),
        pytest.param(Order(("uri:vpn.example.com",)), "no client has a name", id="another kind of name"),
        pytest.param(Order((), common_name="vpn.example.com"), "subjectAltName", id="common name alone"),
        pytest.param(
            Order(("dns:stranger.example.com",), common_name="vpn.example.com"),
            "no client has a name",
            id="common name beside",
        ),
        pytest.param(Order((*NAME, PORTAL_ID)), "names 2 clients", id="two clients at once"),
        pytest.param(Order((f"{PORTAL_ID}/admin",)), "no client has a name", id="longer URI"),
    ],
)
def test_every_other_certificate_is_refused(running: Installation, order: Order, why: str) -> None:
    """The right authority is not enough: dates, usage and one exact name count, never the CN (API-01)."""
    refused(running, running.client("bad", order), why)


def test_another_authority_s_certificate_is_refused(running: Installation, tmp_path: Path) -> None:
    """A CA of the same name with another key signs nobody's certificate here (API-01)."""
    other = Authority(tmp_path, "nl-clients-ca")
    refused(running, running.application(other.sign("vpn", Order(NAME))), "signature")


def test_the_daemon_s_own_authority_signs_no_clients(running: Installation) -> None:
    """Who may sign the daemon's certificate may not therefore sign clients'."""
    refused(running, running.application(running.server_authority.sign("vpn", Order(NAME))), "issuer")


def test_no_certificate_is_refused(running: Installation) -> None:
    """API-01: an anonymous caller gets no byte through."""
    refused(running, running.application(None), "PEER_DID_NOT_RETURN_A_CERTIFICATE")


def test_a_revoked_certificate_is_refused(own: Installation) -> None:
    """API-01: the list is read again when it changes; who is connected is cut off, others stay."""
    bad, good = own.vpn(), own.portal()
    with bad.channel() as channel, good.channel() as other:
        calls, others = (login_pb2_grpc.LoginServiceStub(one) for one in (channel, other))
        calls.BeginLogin(begin(), timeout=10)
        others.BeginLogin(begin("portal"), timeout=10)
        assert bad.pair is not None
        own.authority.revoke(bad.pair)
        wait_for(own, "client.cut_off")
        with pytest.raises(grpc.RpcError):
            calls.BeginLogin(begin(), timeout=5)
        others.BeginLogin(begin("portal"), timeout=10)
    refused(own, bad, "revoked")
    assert len(own.said("client.cut_off")) == 1


def wait_for(installation: Installation, event: str, times: int = 1) -> None:
    """Wait until an event is in the log."""
    wait_until(lambda: len(installation.said(event)) >= times, event, seconds=30)


def test_an_outdated_revocation_list_lets_nobody_in(own: Installation) -> None:
    """A list that nobody renews is an outage, not a way in for the revoked (API-01)."""
    vpn = own.vpn()
    vpn.begin()
    own.authority.publish(days=-1)
    own.daemon.signal(signal.SIGHUP)  # a look at once; that lists are looked at anyway is shown above
    wait_for(own, "certificates.loaded", 2)
    refused(own, vpn, "CRL has expired")
    own.authority.publish()
    own.daemon.signal(signal.SIGHUP)
    wait_for(own, "certificates.loaded", 3)
    vpn.begin()


def test_a_list_that_ends_is_told_beside_a_certificate_that_will(own: Installation) -> None:
    """One warning a day of each: the one of the certificate, said before, keeps back none of the list."""
    own.server_authority.sign("server", Order(("dns:localhost",), usages=(), days=5))
    own.authority.publish(days=20 / 86_400)
    wait_for(own, "certificate.ends", 1)
    assert own.said("crl.outdated") == []
    wait_for(own, "crl.outdated", 1)


def hello(application: Application, alpn: list[str], version: ssl.TLSVersion | None = None) -> bytes:
    """What the daemon's HTTP/2 server says first to a client that speaks these; raises OSError."""
    context = application.context()
    context.set_alpn_protocols(alpn)
    if version is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")  # else OpenSSL offers no TLS 1.1, and refuses itself
        context.maximum_version = context.minimum_version = version
    with (
        socket.create_connection(("127.0.0.1", application.port), 5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        return tls.recv(9)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2])
def test_older_tls_is_refused(running: Installation, version: ssl.TLSVersion) -> None:
    """API-01: nothing below TLS 1.3, for the best of certificates."""
    before = reasons(running, "UNSUPPORTED_PROTOCOL")
    with pytest.raises(OSError, match=r"EOF|PROTOCOL_VERSION"):
        hello(running.vpn(), ["h2"], version)
    wait_until(lambda: reasons(running, "UNSUPPORTED_PROTOCOL") > before, "the refusal")


def test_tls_1_3_with_http2_is_greeted(running: Installation) -> None:
    """The probe of these tests sees HTTP/2's SETTINGS where it is let in."""
    frame = hello(running.vpn(), ["h2"], ssl.TLSVersion.TLSv1_3)
    assert frame[3] == 4


@pytest.mark.parametrize("alpn", [["http/1.1"], ["h2c"]])
def test_other_protocols_inside_tls_get_nothing(running: Installation, alpn: list[str]) -> None:
    """Without HTTP/2 in ALPN the connection is closed, and nothing was said."""
    try:
        said = hello(running.vpn(), alpn)
    except OSError:
        said = b""
    assert said == b""


def test_plain_text_is_refused(running: Installation) -> None:
    """API-01: HTTP/2 without TLS (h2c) gets no answer but the end of the connection."""
    with (
        grpc.insecure_channel(f"127.0.0.1:{running.port}") as channel,
        pytest.raises(grpc.RpcError) as error,
    ):
        login_pb2_grpc.LoginServiceStub(channel).BeginLogin(begin(), timeout=5)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_session_is_never_resumed(running: Installation) -> None:
    """A ticket of TLS would lead past a revocation: none is given."""
    vpn = running.vpn()
    context = vpn.context()
    with (
        socket.create_connection(("127.0.0.1", vpn.port), 5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.recv(9)
        assert tls.session is None or not tls.session.has_ticket
