"""SMPP servers for tests: a real one, which knows nothing of our client, and one that misbehaves.

The real one is smpp34's, in the test's own loop. It takes every bind, so that refusals are the other's part.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import smpp34

from testbed.ports import free_port

if TYPE_CHECKING:
    import ssl
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncIterator, Callable

THROTTLED = "+15550000058"
NO_NUMBER = "+15550000011"
UNDELIVERED = "+15550000005"
_REFUSED = {THROTTLED[1:]: 0x58, NO_NUMBER[1:]: 0x0B}
_RECEIPTED_MESSAGE_ID, _MESSAGE_STATE = 0x001E, 0x0427


@dataclass
class Smsc:
    """A running server: what was submitted, and who is bound."""

    port: int
    submitted: list[smpp34.SubmitSmEvent] = field(default_factory=list)
    bound: list[smpp34.Esme] = field(default_factory=list)

    async def handle(self, server: smpp34.Server) -> None:
        """Answer for ever."""
        sessions: dict[str, smpp34.Esme] = {}
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                sessions[event.session_id] = event
                self.bound.append(event)
            elif isinstance(event, smpp34.SubmitSmEvent):
                self.submitted.append(event)
                with contextlib.suppress(Exception):  # whose session has ended meanwhile gets no answer
                    await self._take(event, sessions[event.session_id])

    async def _take(self, event: smpp34.SubmitSmEvent, esme: smpp34.Esme) -> None:
        if event.destination_addr in _REFUSED:
            event.reject(_REFUSED[event.destination_addr])
            return
        number = f"{len(self.submitted):08x}"
        event.accept(number)
        if event.registered_delivery & 1:
            delivered = event.destination_addr != UNDELIVERED[1:]
            state, word = (2, "DELIVRD") if delivered else (5, "UNDELIV")
            error = "000" if delivered else "011"
            await esme.deliver_sm(
                event.source_addr,
                f"id:{number} sub:001 dlvrd:001 stat:{word} err:{error} text:".encode(),
                source_addr=event.destination_addr,
                esm_class=4,
                tlvs=[
                    smpp34.Tlv(_RECEIPTED_MESSAGE_ID, number.encode() + b"\0"),
                    smpp34.Tlv(_MESSAGE_STATE, bytes([state])),
                ],
            )


@contextlib.asynccontextmanager
async def smsc(port: int = 0) -> AsyncIterator[Smsc]:
    """Run the real server."""
    running = Smsc(port or free_port())
    server = smpp34.Server("127.0.0.1", running.port, system_id="SMSC")
    await server.start()
    task = asyncio.create_task(running.handle(server))
    try:
        yield running
    finally:
        task.cancel()
        await asyncio.wait({task})
        await server.stop()


@contextlib.asynccontextmanager
async def in_tls(port: int, context: ssl.SSLContext) -> AsyncIterator[int]:
    """Put TLS in front of a server on this host: the port of the encrypted side."""

    async def pump(reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while part := await reader.read(65536):
                writer.write(part)
        writer.transport.abort()

    async def talk(reader: StreamReader, writer: StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        writers.extend((writer, inner_writer))
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    writers: list[StreamWriter] = []
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


BIND, SUBMIT, ENQUIRE, UNBIND, NACK = 0x09, 0x04, 0x15, 0x06, 0x8000_0000
RESPONSE = 0x8000_0000


@dataclass(frozen=True)
class Raw:
    """A PDU as it arrived."""

    command: int
    status: int
    number: int
    body: bytes

    def answer(self, status: int = 0, body: bytes = b"", command: int | None = None) -> bytes:
        """An answer to it."""
        return pdu(self.command | RESPONSE if command is None else command, status, self.number, body)

    @property
    def strings(self) -> list[bytes]:
        """The strings at the beginning of a bind: system_id, password, system_type."""
        return self.body.split(b"\0")[:3]


def pdu(command: int, status: int, number: int, body: bytes = b"") -> bytes:
    """A PDU for the wire."""
    return struct.pack(">LLLL", 16 + len(body), command, status, number) + body


@dataclass
class RawSmsc:
    """A server that a test writes out: what it was sent, over all connections."""

    port: int
    seen: list[Raw] = field(default_factory=list)
    connections: int = 0
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait_for(self, command: int, count: int = 1) -> None:
        """Wait until so many PDUs of a kind have arrived."""
        async with self.news:
            await self.news.wait_for(lambda: sum(one.command == command for one in self.seen) >= count)


def receipt(text: bytes) -> bytes:
    """A delivery receipt with this text (SMPP 3.4, appendix B)."""
    return pdu(0x05, 0, 5, b"\0\1\1x\0\1\1y\0\4\0\0\0\0\0\0\0\0" + bytes([len(text)]) + text)


def takes_all(raw: Raw) -> bytes:
    """Answer every request with success."""
    if raw.command == SUBMIT:
        return raw.answer(body=b"id-%d\0" % raw.number)
    return raw.answer(body=b"SMSC\0" if raw.command == BIND else b"")


@contextlib.asynccontextmanager
async def raw_smsc(answer: Callable[[Raw], bytes | None], port: int = 0) -> AsyncIterator[RawSmsc]:
    """Run a server: each PDU is answered with what `answer` returns; None ends the connection."""
    writers: list[StreamWriter] = []

    async def talk(reader: StreamReader, writer: StreamWriter) -> None:
        writers.append(writer)
        running.connections += 1
        with contextlib.suppress(OSError, EOFError):
            while True:
                length, *head = struct.unpack(">LLLL", await reader.readexactly(16))
                raw = Raw(head[0], head[1], head[2], await reader.readexactly(length - 16))
                async with running.news:
                    running.seen.append(raw)
                    running.news.notify_all()
                reply = answer(raw)
                if reply is None:
                    break
                writer.write(reply)
        writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", port)
    running = RawSmsc(server.sockets[0].getsockname()[1])
    try:
        yield running
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)
