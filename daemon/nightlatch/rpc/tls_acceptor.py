"""Takes TLS connections of applications, learns from their certificates who they are, and passes them on.

MUST 1: nothing but TLS 1.3 with a verified client certificate and HTTP/2 gets a byte through (API-01).
MUST 2: a handshake has 5 seconds; of too many at once the oldest goes, so that idle ones keep nobody out.
MUST 3: connections are bounded for each client and in all, below what the process may have open, so that the
        unix sockets go on answering (API-03).
MUST 4: who is revoked, alone or with a CA of the chain, no longer configured or out of date is cut off,
        whatever was true at the start.
"""

from __future__ import annotations

import asyncio
import ipaddress
import resource
import socket
import ssl
from typing import TYPE_CHECKING

from nightlatch.rpc.acceptor import Intake
from nightlatch.rpc.caller import Caller
from nightlatch.rpc.certificate import ClientCertificate, read_certificate, verified_chain
from nightlatch.rpc.passing import MAX_CONNECTIONS, Front, Passage, Route
from nightlatch.rpc.rights import Client, Clients, NotAdmitted
from nightlatch.rpc.sparing import SparingLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.rpc.certificate import Link
    from nightlatch.rpc.trust import Trust

HANDSHAKE_SECONDS = 5.0
CLOSING_SECONDS = 2.0
MAX_HANDSHAKES = 128
TAKEN_PER_SECOND = 200
"""New connections; more wait in the kernel's queue. A handshake costs about 1 ms."""
DEAD_AFTER_MS = 30_000
"""How long what was sent may stay unacknowledged (TCP_USER_TIMEOUT, tcp(7))."""
FILES_PER_CONNECTION = 3
KEPT_FILES = 320
"""Descriptors left for the unix sockets, the store, directories and channels."""


def connections_in_all() -> int:
    """How many connections this process has descriptors for, after raising its own limit as far as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    room = (hard - KEPT_FILES - MAX_HANDSHAKES) // FILES_PER_CONNECTION
    return max(4, min(MAX_CONNECTIONS, room))


class TlsAcceptor:
    """The applications' door: serves, believes other files and clients when told to, stops, closes."""

    def __init__(self, route: Route, trust: Trust, clients: Clients, now: Callable[[], float]) -> None:
        self._route = route
        self._trust = trust
        self._clients = clients
        self._now = now
        self._log = SparingLog(route.log)
        self._passage = Passage(route, self._admit, connections_in_all())
        self._intake = Intake(route, self._taken)
        self._handshakes: dict[asyncio.Task[None], None] = {}
        """Those under way, oldest first."""

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._passage.fronts)

    async def serve(self, listening: socket.socket) -> None:
        """Take connections from a listening socket."""
        await self._intake.serve(listening)

    async def stop(self) -> None:
        """Take no new connections; the ones there are go on."""
        await self._intake.stop()
        for handshake in tuple(self._handshakes):
            handshake.cancel()

    def close(self) -> None:
        """End every connection that is left."""
        self._passage.close()

    def renew(self, trust: Trust, clients: Clients) -> None:
        """Believe other files and clients from now on; connections that these do not let in are ended."""
        others = trust.authorities != self._trust.authorities
        self._trust, self._clients = trust, clients
        if others:
            self._log.warning("client.all_cut_off", reason="client_ca_file has other certificates now")
            self._passage.close()
        self._look_up_chains()
        self.judge()

    def judge(self) -> None:
        """Look at the open connections again; end those that would not be let in now (MUST 4)."""
        for front in tuple(self._passage.fronts):
            assert front.transport is not None
            if front.transport.is_closing():
                continue
            try:
                front.change(self._caller(front.transport))
            except NotAdmitted as error:
                self._cut_off(front, str(error))

    def _look_up_chains(self) -> None:
        """End the connections with a certificate in their chain that the lists do not let in (MUST 4)."""
        found: dict[Link, str] = {}  # each is looked up once: that takes a while in a long list
        for front in tuple(self._passage.fronts):
            assert front.transport is not None
            if front.transport.is_closing():
                continue
            try:
                chain = verified_chain(front.transport.get_extra_info("ssl_object"))
            except NotAdmitted as error:
                self._cut_off(front, str(error))
                continue
            found.update((link, self._trust.wrong_with(link)) for link in chain if link not in found)
            wrong = next((found[link] for link in chain if found[link]), "")
            if wrong:
                self._cut_off(front, wrong)

    def _cut_off(self, front: Front, reason: str) -> None:
        self._log.warning("client.cut_off", client=str(front.caller), reason=reason)
        front.abort()

    async def _taken(self, connection: socket.socket) -> None:
        if len(self._handshakes) >= MAX_HANDSHAKES:
            oldest = next(iter(self._handshakes))
            del self._handshakes[oldest]
            oldest.cancel()
        handshake = asyncio.get_running_loop().create_task(self._shake_hands(connection))
        self._handshakes[handshake] = None
        handshake.add_done_callback(lambda done: self._handshakes.pop(done, None))
        await asyncio.sleep(1 / TAKEN_PER_SECOND)

    async def _shake_hands(self, connection: socket.socket) -> None:
        """TLS, in a bounded time. The front asks `_admit` when it is through."""
        address = None
        try:
            address = connection.getpeername()[0]
            _bound(connection)
            await asyncio.get_running_loop().connect_accepted_socket(
                self._passage.front,
                connection,
                ssl=self._trust.context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=CLOSING_SECONDS,
            )
        except (OSError, ssl.SSLError) as error:
            reason = error.reason if isinstance(error, ssl.SSLError) else type(error).__name__
            said = getattr(error, "verify_message", None)
            self._log.warning(
                "tls.refused", listener=self._route.listener, reason=said or reason, address=address
            )
        except asyncio.CancelledError:
            connection.close()

    def _admit(self, transport: asyncio.Transport) -> Caller:
        tls = transport.get_extra_info("ssl_object")
        if tls is None or tls.selected_alpn_protocol() != "h2":
            raise NotAdmitted("the caller does not speak HTTP/2 (ALPN)")
        if tls.context is not self._trust.context:
            raise NotAdmitted("the certificates and lists were renewed during the handshake")
        verified_chain(tls)  # what is not told now can not be looked up when a list changes
        caller = self._caller(transport)
        most = caller.rights.connections
        held = sum(str(front.caller) == str(caller) for front in self._passage.fronts)
        if most is not None and held >= most:
            raise NotAdmitted(f"{caller} has {held} connections already")
        return caller

    def _caller(self, transport: asyncio.Transport) -> Caller:
        """Who a certificate stands for, now; raises NotAdmitted."""
        certificate = _certificate(transport)
        if certificate.not_after <= self._now():
            raise NotAdmitted("the certificate has expired")
        client: Client = self._clients.of(certificate.names)
        peer = transport.get_extra_info("peername")
        return Caller("client", client.name, client.rights, plain_address(peer[0]))


def _certificate(transport: asyncio.Transport) -> ClientCertificate:
    """The certificate that TLS has verified; raises NotAdmitted."""
    der = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    if not der:
        raise NotAdmitted("the caller has shown no certificate")
    return read_certificate(der)


def plain_address(text: str) -> str:
    """The kernel's word on a peer's address, with IPv4 as such (RFC 4291, 2.5.5.2) and without a zone."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _bound(connection: socket.socket) -> None:
    """Notice peers that are gone."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER_MS)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
