"""What watches a daemon: a scraper, a collector of traces, and a gateway whose texts end in a list."""

from __future__ import annotations

import json
import re
import threading
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.proto.trace.v1.trace_pb2 import Span
    from prometheus_client import Metric


class Posts:
    """An HTTP server on the loopback address that keeps what is posted to it."""

    def __init__(self) -> None:
        kept: list[tuple[str, bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                kept.append((self.path, self.rfile.read(length)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002, its name there

        self.kept = kept
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def codes(self) -> list[str]:
        """The codes in the texts that were posted as JSON."""
        texts = [json.loads(body)["text"] for path, body in self.kept if path == "/send"]
        return [found[0] for text in texts if (found := re.search(r"\b\d{6}\b", text))]

    def spans(self) -> list[Span]:
        """Every span that was exported."""
        found: list[Span] = []
        for path, body in list(self.kept):
            if path == "/v1/traces":
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    for scope in resource.scope_spans:
                        found += scope.spans
        return found

    def span(self, fits: Callable[[Span], bool]) -> Span:
        """The first span that fits; waits for it."""
        wait_until(lambda: any(map(fits, self.spans())), "the span")
        return next(filter(fits, self.spans()))

    def below(self, root: Span, count: int) -> list[Span]:
        """The spans of a trace beside its root; waits until there are so many."""

        def found() -> list[Span]:
            return [one for one in self.spans() if one.trace_id == root.trace_id and one != root]

        wait_until(lambda: len(found()) >= count, f"{count} spans of the trace")
        return found()


def attributes(span: Span) -> dict[str, str]:
    """A span's attributes, as text."""
    return {one.key: one.value.string_value for one in span.attributes}


@dataclass(frozen=True)
class Scraper:
    """Reads a daemon's metrics as Prometheus does."""

    port: int

    def text(self) -> str:
        """The whole exposition."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            return str(answer.read().decode())

    def families(self) -> list[Metric]:
        """The metrics, parsed by Prometheus' own rules."""
        return list(text_string_to_metric_families(self.text()))

    def values(self, sample: str, **labels: str) -> float:
        """The sum of a sample's values, over all label sets that have these labels."""
        return sum(
            one.value
            for family in self.families()
            for one in family.samples
            if one.name == sample and labels.items() <= one.labels.items()
        )
