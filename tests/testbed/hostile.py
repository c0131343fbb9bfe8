"""Servers that misbehave: each listens on a free port of 127.0.0.1 and remembers what it was sent."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from asyncio import StreamReader as Reader
    from asyncio import StreamWriter as Writer
    from collections.abc import AsyncIterator, Iterator

    from testbed.pki import Pair, Pki


class Behaviour(Protocol):
    """What a server does with one connection."""

    async def __call__(self, reader: Reader, writer: Writer, seen: bytearray) -> None:
        """Talk; put what was read into `seen`."""


def server_context(pki: Pki) -> ssl.SSLContext:
    """TLS with the right certificate."""
    return context_with(pki.server)


def context_with(pair: Pair) -> ssl.SSLContext:
    """TLS with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


@contextlib.asynccontextmanager
async def serving(
    behaviour: Behaviour, context: ssl.SSLContext | None = None, place: tuple[str, int] = ("127.0.0.1", 0)
) -> AsyncIterator[tuple[int, bytearray]]:
    """Run a server in the test's own loop: its port, and all that it was sent."""
    seen = bytearray()
    open_writers: list[Writer] = []

    async def talk(reader: Reader, writer: Writer) -> None:
        open_writers.append(writer)
        with contextlib.suppress(OSError):
            await behaviour(reader, writer, seen)

    server = await asyncio.start_server(talk, *place, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        server.close()
        for writer in open_writers:
            writer.transport.abort()
        await asyncio.sleep(0)


async def silence(reader: Reader, writer: Writer, seen: bytearray) -> None:
    """Read everything, say nothing."""
    del writer
    while part := await reader.read(4096):
        seen += part


async def reset(reader: Reader, writer: Writer, seen: bytearray) -> None:
    """Send a TCP reset in the middle of the first request."""
    seen += await reader.read(4096)
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def rubbish(reader: Reader, writer: Writer, seen: bytearray) -> None:
    """Answer with something that is no LDAP."""
    seen += await reader.read(4096)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3)
    writer.close()


async def trickle(reader: Reader, writer: Writer, seen: bytearray) -> None:
    """Answer with one byte at a time, for ever: no single wait is long."""
    seen += await reader.read(4096)
    writer.write(b"\x30\x84\x00\xff\xff\xff")
    while True:
        writer.write(b"\x00")
        await writer.drain()
        await asyncio.sleep(0.02)


async def no_start_tls(reader: Reader, writer: Writer, seen: bytearray) -> None:
    """Refuse StartTLS with protocolError, as a machine in the middle does; then listen for a bind."""
    await _answer_start_tls(reader, writer, seen, code=2)
    await silence(reader, writer, seen)


async def false_start_tls(reader: Reader, writer: Writer, seen: bytearray) -> None:
    """Agree to StartTLS, and make no handshake."""
    await _answer_start_tls(reader, writer, seen, code=0)
    await silence(reader, writer, seen)


def answers(tag: int, code: int) -> Behaviour:
    """Answer every request with one result: `tag` 0x61 for a bind, 0x65 for a search (RFC 4511)."""

    async def behave(reader: Reader, writer: Writer, seen: bytearray) -> None:
        while request := await reader.read(4096):
            seen += request
            _write_result(writer, request, tag, code)

    return behave


async def _answer_start_tls(reader: Reader, writer: Writer, seen: bytearray, code: int) -> None:
    request = await reader.read(4096)
    seen += request
    _write_result(writer, request, 0x78, code)


def _write_result(writer: Writer, request: bytes, tag: int, code: int) -> None:
    message_id = request[2 : 4 + request[3]]
    answer = message_id + bytes((tag, 7, 0x0A, 1, code, 4, 0, 4, 0))
    writer.write(bytes((0x30, len(answer))) + answer)


@contextlib.contextmanager
def black_hole(place: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[int]:
    """A port that answers no SYN: the queue of its listener is full."""
    with contextlib.ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.socket())
        listener.bind(place)
        listener.listen(0)
        for _ in range(4):
            filler = open_sockets.enter_context(socket.socket())
            filler.setblocking(False)  # noqa: FBT003 - it has no name for it
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
