"""Serves the metrics over HTTP, for Prometheus.

MUST 1: it answers GET /metrics and nothing else; whoever asks can change nothing.
MUST 2: connections, the size of a request and the time for it are bounded: none is in the way of a login.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from prometheus_client.exposition import choose_encoder

from nightlatch.telemetry.gauges import ReadingsCollector

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from nightlatch.telemetry.metrics import Metrics
    from nightlatch.telemetry.readings import Readings

MOST_CONNECTIONS = 8
REQUEST_SECONDS = 5.0
ANSWER_SECONDS = 10.0
_LONGEST_REQUEST = 16 * 1024


class Exposition:
    """One HTTP server for the metrics of one process."""

    def __init__(self, metrics: Metrics, read: Callable[[], Readings]) -> None:
        """`read` is called at each scrape, in a thread."""
        metrics.add(ReadingsCollector(read))
        self._registry = metrics.registry
        self._room = MOST_CONNECTIONS
        self._server: asyncio.Server | None = None

    async def start(self, listening: socket.socket) -> None:
        """Answer on a listening socket."""
        self._server = await asyncio.start_server(self._serve, sock=listening, limit=_LONGEST_REQUEST)

    def stop(self) -> None:
        """Take no more requests."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._room:
            writer.transport.abort()
            return
        self._room -= 1
        try:
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                async with asyncio.timeout(REQUEST_SECONDS):
                    request = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(request.decode("latin-1")))
                async with asyncio.timeout(ANSWER_SECONDS):
                    await writer.drain()
                    writer.close()
                    await writer.wait_closed()
        finally:
            self._room += 1
            writer.transport.abort()

    async def _answer(self, request: str) -> bytes:
        first, *lines = request.split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or words[0] not in {"GET", "HEAD"}:  # noqa: PLR2004, method, path and version
            return _response("405 Method Not Allowed", "text/plain", b"GET /metrics is all there is.\n")
        if words[1].partition("?")[0] != "/metrics":
            return _response("404 Not Found", "text/plain", b"The metrics are at /metrics.\n")
        accepted = [line.partition(":")[2] for line in lines if line.lower().startswith("accept:")]
        encode, kind = choose_encoder(",".join(accepted))
        body = await asyncio.to_thread(encode, self._registry)
        return _response("200 OK", kind, body, head=words[0] == "HEAD")


def _response(status: str, kind: str, body: bytes, *, head: bool = False) -> bytes:
    fields = (f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close")
    start = "\r\n".join((f"HTTP/1.1 {status}", *fields, "", "")).encode()
    return start if head else start + body
