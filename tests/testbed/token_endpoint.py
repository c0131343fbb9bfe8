"""An OAuth 2.0 token endpoint over TLS, which does as a test says and writes down what it was asked."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable

    from testbed.pki import Pair

Reply = tuple[int, dict[str, object] | bytes]
"""A status, and an object for JSON or bytes as they are."""


class TokenEndpoint:
    """Gives tokens canary-token-1, -2, …, or what `reply` says. Good tokens are in `good`."""

    def __init__(self, pair: Pair) -> None:
        self.asked: list[dict[str, str]] = []
        """The forms that came, in order."""
        self.good: dict[str, str] = {}
        """Whose a token is."""
        self.reply: Callable[[dict[str, str]], Reply] | None = None
        self.extra: dict[str, object] = {"expires_in": 3600}
        self.mailbox = "nl@nl.test"
        self.release = threading.Event()
        """Set when a hanging reply may go on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://localhost:{self._server.server_port}/token"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def owner(self, token: str) -> str | None:
        """Whose a token is, as an introspection would say."""
        return self.good.get(token)

    def stop(self) -> None:
        """Stop answering."""
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def answer(self, form: dict[str, str]) -> Reply:
        """The reply to a form."""
        self.asked.append(form)
        if self.reply is not None:
            return self.reply(form)
        token = f"canary-token-{len(self.asked)}"
        self.good[token] = self.mailbox
        return 200, {"access_token": token, "token_type": "Bearer", **self.extra}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, content = endpoint.answer(dict(parse_qsl(body)))
                encoded = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", encoded.decode())
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(encoded)))
                self.end_headers()
                self.wfile.write(encoded)

            def log_message(self, *_args: Any) -> None:  # noqa: ANN401, the signature is http.server's
                """Keep quiet."""

            def handle(self) -> None:
                """Serve one connection; what the other side breaks off is no error here."""
                try:
                    super().handle()
                except (OSError, ssl.SSLError):
                    return

        return Handler
