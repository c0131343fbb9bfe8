"""A client that speaks HTTP/2 by hand, and not as it should (API-03)."""

from __future__ import annotations

import socket
import ssl
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, Event, ResponseReceived, StreamReset, TrailersReceived
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

if TYPE_CHECKING:
    from testbed.applications import Application

METHOD = "/nightlatch.v1.LoginService/BeginLogin"


def headers_of(method: str = METHOD) -> list[tuple[str, str]]:
    """What a gRPC call begins with."""
    return [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", method),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ]


class HostileClient:
    """One TLS connection with HTTP/2 on it."""

    def __init__(self, application: Application) -> None:
        plain = socket.create_connection(("127.0.0.1", application.port), 10)
        self.tls: ssl.SSLSocket = application.context().wrap_socket(plain, server_hostname="localhost")
        config = H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False)
        self.http = H2Connection(config)
        self.http.initiate_connection()
        self._waiting = b""
        self.alive = True
        """Whether the daemon still has the connection open."""
        self.flush()
        self.hear(1.0, until_settings=True)

    def flush(self) -> None:
        """Send what is waiting; notices when the daemon has hung up."""
        try:
            self.tls.sendall(self.http.data_to_send())
        except OSError:
            self.alive = False

    def hear(self, seconds: float, *, until_settings: bool = False) -> list[Event]:
        """What the daemon says within `seconds`, or until it is silent for so long."""
        events: list[Event] = []
        self.tls.settimeout(seconds)
        with suppress(TimeoutError, ssl.SSLError, OSError, ProtocolError):
            while True:
                data = self.tls.recv(65_536)
                if not data:
                    self.alive = False
                    break
                events += self.http.receive_data(data)
                self.flush()
                if until_settings:
                    break
        self.tls.settimeout(10)
        if any(isinstance(event, ConnectionTerminated) for event in events):
            self.alive = False
        return events

    def open_stream(self, extra: list[tuple[str, str]] | None = None) -> int:
        """The headers of a call, and nothing more; its stream's number."""
        number = self.http.get_next_available_stream_id()
        self.http.send_headers(number, [*headers_of(), *(extra or [])])
        return number

    def ignore_stream_limit(self) -> None:
        """Open more streams than the daemon allows."""
        self.http.remote_settings._settings[SettingCodes.MAX_CONCURRENT_STREAMS] = deque([2**31 - 1])

    def drip(self) -> None:
        """Send one byte of what is waiting; notices when the daemon has hung up."""
        self._waiting += self.http.data_to_send()
        try:
            self.tls.sendall(self._waiting[:1])
            self.tls.settimeout(0.02)
            with suppress(TimeoutError, ssl.SSLWantReadError):
                self.alive = self.alive and self.tls.recv(1) != b""
        except OSError:
            self.alive = False
        self._waiting = self._waiting[1:]

    def close(self) -> None:
        """Hang up."""
        self.tls.close()


def status_of(events: list[Event]) -> bytes:
    """The grpc-status that came; empty for none."""
    for event in events:
        if isinstance(event, ResponseReceived | TrailersReceived):
            status = dict(event.headers).get(b"grpc-status")
            if status:
                return status
    return b""


def resets(events: list[Event]) -> int:
    """How many streams the daemon has reset."""
    return sum(isinstance(event, StreamReset) for event in events)
