"""A real nightlatchd with a TLS listener, and applications that call it."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from nightlatch.v1 import login_pb2, login_pb2_grpc
from testbed.authority import Authority, Order
from testbed.daemon import Nightlatchd
from testbed.ports import free_port

if TYPE_CHECKING:
    from testbed.pki import Pair

NOBODY = """
[[directories]]
name = "local"
kind = "pam"
socket = "/nonexistent/pamcheck.sock"
"""
"""A directory that is away, for tests that need no people."""
VPN = """
[[clients]]
name = "vpn"
san = "dns:vpn.example.com"
methods = ["login", "health"]
services = ["vpn", "vpn-admin"]
may_set_source = true
requests_per_second = 1000
"""
PORTAL = """
[[clients]]
name = "portal"
san = "uri:spiffe://example.com/portal"
methods = ["login", "enrollment"]
"""


@dataclass(frozen=True)
class Application:
    """A client with its certificate."""

    port: int
    ca: Path
    """The CA of the daemon's own certificate."""
    pair: Pair | None

    def channel(self, **options: int) -> grpc.Channel:
        """A blocking channel, as grpcio makes it."""
        key = None if self.pair is None else self.pair.key.read_bytes()
        chain = None if self.pair is None else self.pair.certificate.read_bytes()
        credentials = grpc.ssl_channel_credentials(self.ca.read_bytes(), key, chain)
        named = [(f"grpc.{name}", value) for name, value in options.items()]
        # Each channel has connections of its own; grpcio shares them otherwise.
        own = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
        return grpc.secure_channel(f"localhost:{self.port}", credentials, options=[*own, *named])

    def begin(self, service: str = "vpn", seconds: float = 10) -> login_pb2.Step:
        """Begin a login on a connection of its own; raises grpc.RpcError."""
        with self.channel() as channel:
            stub = login_pb2_grpc.LoginServiceStub(channel)
            return stub.BeginLogin(begin(service), timeout=seconds).step

    def context(self) -> ssl.SSLContext:
        """What a program without grpcio connects with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca)
        context.set_alpn_protocols(["h2"])
        if self.pair is not None:
            context.load_cert_chain(self.pair.certificate, self.pair.key)
        return context


def begin(
    service: str = "vpn", user: str = "alice", source: str = "192.0.2.7"
) -> login_pb2.BeginLoginRequest:
    """A login of alice."""
    return login_pb2.BeginLoginRequest(
        user=user,
        service=service,
        origin=login_pb2.Origin(remote_host=source),
        primary=login_pb2.PRIMARY_PASSWORD,
    )


def short_folder(open_folder: Path) -> Path:
    """A folder whose path is short enough for sockets."""
    return Path(tempfile.mkdtemp(prefix="app-", dir=open_folder))


class Installation:
    """The daemon, the authority of its clients, and the certificates that it signed."""

    def __init__(
        self, folder: Path, *, directories: str = NOBODY, clients: str = VPN + PORTAL, crl: bool = False
    ) -> None:
        self.port = free_port()
        self.authority = Authority(folder / "ca", "nl-clients-ca")
        self.server_authority = Authority(folder / "server", "nl-server-ca")
        self.server = self.server_authority.sign("server", Order(("dns:localhost",), usages=()))
        self._directories = directories
        self.clients = clients
        self._crl = crl
        self.daemon = Nightlatchd(folder / "d", directories, extra=self.tables())

    def tables(self, clients: str | None = None) -> str:
        """The listener's table, and the clients'."""
        crl = f'crl_file = "{self.authority.crl_file}"' if self._crl else ""
        return f"""
[listeners.applications]
address = "127.0.0.1:{self.port}"
certificate_file = "{self.server.certificate}"
key_file = "{self.server.key}"
client_ca_file = "{self.authority.file}"
{crl}
{self.clients if clients is None else clients}
"""

    def rewrite(self, clients: str) -> None:
        """Write the configuration anew, with other clients."""
        self.daemon.write(self._directories, extra=self.tables(clients))

    def application(self, pair: Pair | None) -> Application:
        """An application with this certificate."""
        return Application(self.port, self.server_authority.file, pair)

    def vpn(self) -> Application:
        """The client called vpn."""
        return self.client("vpn", Order(("dns:vpn.example.com",)))

    def portal(self) -> Application:
        """The client called portal."""
        return self.client("portal", Order(("uri:spiffe://example.com/portal",)))

    def client(self, name: str, order: Order) -> Application:
        """An application with a new certificate of the right authority."""
        return self.application(self.authority.sign(name, order))

    def said(self, event: str) -> list[dict[str, object]]:
        """The events of that name in the daemon's log."""
        return [one for one in self.daemon.events() if one["event"] == event]
