"""TLS to LDAP servers.

MUST 1: the server's certificate is signed by a CA we trust, is valid now, and is for the host of the URL.
MUST 2: TLS 1.2 or newer.
MUST 3: nothing in the environment changes any of this, or writes the session's keys down.

`ldap3` verifies nothing unless told to, and tells a failed handshake only as text. So its `Tls` is
replaced where it makes the handshake, and the cause is kept.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from ldap3 import Tls

from nightlatch.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from ldap3 import Connection


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The context for all connections of a directory; raises ConfigError where `ca_file` is of no use."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name, unlike its elders
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return context
    try:
        context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError:
        raise ConfigError(
            (f"{ca_file}: this is no CA certificate in PEM. Name the file of your CA.",)
        ) from None
    except OSError as error:
        raise ConfigError(
            (f"{ca_file}: the CA file can not be read: {error.strerror}. The daemon's user must be able to.",)
        ) from error
    return context


class StrictTls(Tls):
    """The TLS of one connection, made with `context` and nothing of ldap3's own."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context
        self._host = host
        self.failure: Exception | None = None
        """Why the handshake failed, as the standard library says it."""

    def wrap_socket(self, connection: Connection, do_handshake: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - ldap3's signature; the handshake is always made here
        """Make the handshake on the connection's socket, for ldaps:// and for StartTLS alike."""
        try:
            # Without it each message of the handshake waits 40 ms for the acknowledgement of the one before.
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.socket = self._context.wrap_socket(connection.socket, server_hostname=self._host)
        except Exception as error:
            self.failure = error
            raise
