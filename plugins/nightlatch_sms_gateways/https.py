"""One request and its answer, over connections that are kept and checked.

MUST 1: a request is sent once: nothing is repeated, and no redirect is followed.
MUST 2: nothing is read from the environment (proxies, CA files), and httpx's client, which logs addresses
        with what is in them, is not used: only its transport.
MUST 3: an answer is read to a limit, and no request outlives its deadline.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from nightlatch.channel import NotSent
from nightlatch_sms_gateways.trust import trouble

if TYPE_CHECKING:
    import ssl
    from asyncio import Task

CONNECTIONS = 32
"""Connections of one channel at the same time; who finds none waits for one, until the deadline."""
KEPT_SECONDS = 15.0
"""How long an unused connection is kept: shorter than gateways do, so that it is seldom stale."""
CONNECT_SHARE = 0.4
"""How much of the deadline a TCP connection may take, and TLS once more."""
LARGEST_ANSWER = 65_536
"""Bytes of an answer that are looked at."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway answered."""

    status: int
    body: str
    retry_after: str
    """Seconds, or a date; empty when the gateway asked for no pause."""
    media_type: str

    @property
    def title(self) -> str:
        """The status in words: HTTP 502 Bad Gateway."""
        known = self.status in {status.value for status in HTTPStatus}
        return f"HTTP {self.status}" + (f" {HTTPStatus(self.status).phrase}" if known else "")

    @property
    def pause(self) -> str:
        """What the gateway asks for, in words."""
        seconds = re.fullmatch(r"[0-9]{1,6}", self.retry_after)
        return f" (asks to wait {self.retry_after} s)" if seconds else ""


class Https:
    """The connections of one channel to its gateway.

    Each connection is a transport of its own: the work of httpx's pool for one request grows with the square
    of its connections, and a gateway that hangs must not cost the daemon its time.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._unused: deque[tuple[float, httpx.AsyncHTTPTransport]] = deque()
        self._lookup: Task[None] | None = None

    async def ask(self, request: httpx.Request, deadline: float) -> Answer:
        """Send a request within `deadline` seconds; raises NotSent when no answer came."""
        # A connection whose making is cancelled is closed late; one that times out by itself, at once.
        connect = deadline * CONNECT_SHARE
        request.extensions["timeout"] = {"connect": connect}
        try:
            async with asyncio.timeout(deadline), self._free:
                return await self._ask(request)
        except httpx.ConnectTimeout:
            raise NotSent(f"the gateway can not be reached: no connection within {connect:g} s") from None
        except TimeoutError:
            raise NotSent(f"the gateway did not answer within {deadline:g} s") from None
        except httpx.ConnectError as error:
            raise NotSent(f"the gateway can not be reached: {trouble(error)}") from None
        except httpx.RemoteProtocolError:
            raise NotSent("the gateway hung up, or its answer is no HTTP") from None
        except socket.gaierror as error:
            raise NotSent(f"the gateway's name is not found: {error.strerror}") from None
        except httpx.HTTPError as error:
            raise NotSent(f"the connection to the gateway broke: {trouble(error)}") from None

    async def close(self) -> None:
        """Let go of all connections."""
        if self._lookup is not None:
            self._lookup.cancel()
        while self._unused:
            await self._unused.pop()[1].aclose()

    async def _ask(self, request: httpx.Request) -> Answer:
        if not self._unused:
            await self._look_up(request.url)
        transport = self._unused.pop()[1] if self._unused else self._new()
        try:
            answer = await _exchange(transport, request)
        except BaseException:  # also when cancelled: what is half read is of no more use
            await transport.aclose()
            raise
        now = asyncio.get_running_loop().time()
        self._unused.append((now, transport))
        while self._unused and self._unused[0][0] < now - KEPT_SECONDS:
            await self._unused.popleft()[1].aclose()
        return answer

    async def _look_up(self, url: httpx.URL) -> None:
        """Wait until the name can be resolved, all together for one look-up.

        Look-ups block threads that all of the daemon shares, and can not be cancelled: with one for each
        message, name servers that hang would hold up everything that has a name to resolve.
        """
        if self._lookup is None or self._lookup.done():
            port = url.port or (443 if url.scheme == "https" else 80)
            self._lookup = asyncio.create_task(_resolve(url.host, port), name="sms gateway look-up")
            self._lookup.add_done_callback(lambda lookup: lookup.cancelled() or lookup.exception())
        await asyncio.shield(self._lookup)

    def _new(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEPT_SECONDS)
        return httpx.AsyncHTTPTransport(verify=self._context, trust_env=False, limits=limits)


async def _resolve(host: str, port: int) -> None:
    await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def _exchange(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> Answer:
    response = await transport.handle_async_request(request)
    body = bytearray()
    try:
        async for part in response.aiter_raw():
            body += part
            if len(body) >= LARGEST_ANSWER:
                break
    finally:
        await response.aclose()
    return Answer(
        status=response.status_code,
        body=body[:LARGEST_ANSWER].decode("utf-8", errors="replace"),
        retry_after=response.headers.get("retry-after", "").strip(),
        media_type=response.headers.get("content-type", "").partition(";")[0].strip().lower(),
    )
