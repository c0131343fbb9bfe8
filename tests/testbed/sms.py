"""An HTTP gateway for tests, over TLS: what it was asked, and what it answers, or how it misbehaves."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

import h11

if TYPE_CHECKING:
    import ssl
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncIterator

    from nightlatch.channel import Message

ACCOUNT = "AC00000000000000000000000000000001"
TOKEN = "canary-token-5f1e9c"
"""Of the account; a canary that must be seen nowhere."""
CODE = "837465"
"""The code of a test's message; a canary."""


def words(message: Message) -> str:
    """A text for a message; the real templates are not these tests' concern."""
    return f"{message.values['code']} is your code. It is good for {message.values['minutes']} minutes."


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: str

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form."""
        return dict(parse_qsl(self.body, keep_blank_values=True, strict_parsing=bool(self.body)))


@dataclass(frozen=True)
class Reply:
    """What the gateway answers."""

    status: int = 200
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Misbehaviour(Exception):
    """Raised by an answerer: the connection does something else than answer."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Answerer(Protocol):
    """Decides what a request is answered with."""

    def __call__(self, asked: Asked) -> Reply:
        """Answer, or raise Misbehaviour: "hang", "reset", "hang up", "drip", "rubbish"."""


@dataclass
class Gateway:
    """A running gateway."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    closed: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait_for(self, count: int) -> None:
        """Wait until so many requests have arrived."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.asked) >= count)

    async def wait_for_closed(self, count: int) -> None:
        """Wait until so many connections have ended."""
        async with self._news:
            await self._news.wait_for(lambda: self.closed >= count)

    async def note_closed(self) -> None:
        """Remember that a connection has ended."""
        async with self._news:
            self.closed += 1
            self._news.notify_all()

    async def note(self, asked: Asked) -> None:
        """Remember a request."""
        async with self._news:
            self.asked.append(asked)
            self._news.notify_all()


@contextlib.asynccontextmanager
async def gateway(
    answer: Answerer, context: ssl.SSLContext | None, *, keep: bool = True
) -> AsyncIterator[Gateway]:
    """Run a gateway in the test's own loop; without `keep`, it closes after each answer, unannounced."""
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: StreamReader, writer: StreamWriter) -> None:
        running.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await _Conversation(reader, writer, running, answer).run(keep=keep)
        except (OSError, asyncio.CancelledError, h11.ProtocolError):
            pass
        finally:
            writer.transport.abort()
            await running.note_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    running = Gateway(server.sockets[0].getsockname()[1])
    try:
        yield running
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Conversation:
    def __init__(
        self, reader: StreamReader, writer: StreamWriter, running: Gateway, answer: Answerer
    ) -> None:
        self._reader, self._writer = reader, writer
        self._running, self._answer = running, answer
        self._http = h11.Connection(h11.SERVER)

    async def run(self, *, keep: bool) -> None:
        while asked := await self._next():
            await self._running.note(asked)
            try:
                reply = self._answer(asked)
            except Misbehaviour as misbehaviour:
                await self._misbehave(misbehaviour.kind)
                return
            await self._send(reply)
            if not keep or self._http.our_state is h11.MUST_CLOSE:
                return
            self._http.start_next_cycle()

    async def _next(self) -> Asked | None:
        request, body = None, bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
                return Asked(request.method.decode(), request.target.decode(), headers, body.decode())
            else:
                return None

    async def _send(self, reply: Reply) -> None:
        data = reply.body.encode()
        headers = [("Content-Length", str(len(data))), *reply.headers]
        for event in (h11.Response(status_code=reply.status, headers=headers), h11.Data(data=data)):
            self._writer.write(self._http.send(event) or b"")
        self._writer.write(self._http.send(h11.EndOfMessage()) or b"")
        await self._writer.drain()

    async def _misbehave(self, kind: str) -> None:
        if kind == "hang":
            await self._reader.read()
        elif kind == "reset":
            raw = self._writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif kind == "rubbish":
            self._writer.write(b"\x00\x01 no HTTP at all\r\n\r\n")
            await self._writer.drain()
        elif kind == "drip":
            self._writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while True:
                self._writer.write(b"{")
                await self._writer.drain()
                await asyncio.sleep(0.01)


def twilio(asked: Asked) -> Reply:
    """Answer as Twilio does; the last digits of the number choose an error."""
    expected = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    if asked.headers.get("authorization") != f"Basic {expected}":
        return _error(401, 20003, "Authenticate")
    if asked.target != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json" or asked.method != "POST":
        return _error(404, 20404, "The requested resource was not found")
    to, text = asked.form["To"], asked.form["Body"]
    if to in _ERRORS:
        status, code, words = _ERRORS[to]
        headers = (("Retry-After", "30"),) if status == 429 else ()
        return _error(status, code, words.format(to=to, text=text), headers)
    sid = f"SM{abs(hash((to, text))):032x}"
    return Reply(
        201, json.dumps({"sid": sid, "status": "queued", "error_code": None, "to": to, "body": text})
    )


NO_NUMBER = "+15005550001"
NO_MOBILE = "+15005550009"
OPTED_OUT = "+15005550004"
OFTEN = "+15005550029"
BROKEN = "+15005550050"
REPEATS = "+15005550077"
_ERRORS = {
    NO_NUMBER: (400, 21211, "The 'To' number {to} is not a valid phone number."),
    NO_MOBILE: (400, 21614, "'To' number is not a valid mobile number"),
    OPTED_OUT: (400, 21610, "Attempt to send to unsubscribed recipient"),
    OFTEN: (429, 20429, "Too Many Requests"),
    BROKEN: (500, 20500, "An internal server error has occurred"),
    REPEATS: (400, 30007, "Message to {to} filtered: {text}"),
}


def _error(status: int, code: int, words: str, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    more = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": words, "more_info": more, "status": status}
    return Reply(status, json.dumps(body), headers)
