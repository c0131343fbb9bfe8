"""A program that is told what happens: a real HTTPS server, which may fail, be slow, or be somebody else."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testbed.pki import Pair

SECRET = "Canary-webhook-secret-9K"


@dataclass(frozen=True)
class Told:
    """A request that came."""

    body: dict[str, Any]
    raw: bytes
    signature: str
    name: str
    delivery: str


class Receiver:
    """Answers with `statuses`, one after another, and then with 204; while `gate` is cleared, not at all."""

    def __init__(self, pair: Pair) -> None:
        self.told: list[Told] = []
        self.statuses: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = 0
        """How many requests have come to the gate."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.waiting += 1
                receiver.gate.wait(60)
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                if status < 300:
                    header = self.headers
                    receiver.told.append(
                        Told(
                            json.loads(raw),
                            raw,
                            header["Nightlatch-Signature"],
                            header["Nightlatch-Event"],
                            header["Nightlatch-Delivery"],
                        )
                    )
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:  # noqa: ANN401, the signature is http.server's
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def names(self) -> list[str]:
        """The events that came, in order."""
        return [one.name for one in self.told]

    def stop(self) -> None:
        """Stop answering."""
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def genuine(told: Told, now: float, secret: str = SECRET) -> bool:
    """What a receiver checks, as docs/administration.md shows it."""
    fields = dict(part.split("=", 1) for part in told.signature.split(","))
    expected = hmac.new(secret.encode(), fields["t"].encode() + b"." + told.raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, fields["v1"]) and abs(now - int(fields["t"])) < 300
