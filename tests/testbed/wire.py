"""A wire between a client and a server of this host: what the client said, as it could be overheard."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncIterator

TLS_HANDSHAKE = b"\x16\x03"
"""How a record of TLS begins that opens a handshake (RFC 8446, 5.1)."""


@dataclass
class Wire:
    """A port that leads to another one."""

    port: int = 0
    said: list[bytearray] = field(default_factory=list)
    """What clients have sent, a connection each."""

    def in_the_clear(self) -> list[bytes]:
        """What clients sent before TLS, a connection each."""
        return [bytes(one).partition(TLS_HANDSHAKE)[0] for one in self.said]


@contextlib.asynccontextmanager
async def wire_to(port: int) -> AsyncIterator[Wire]:
    """Run it."""
    wire = Wire()
    writers: list[StreamWriter] = []

    async def pump(reader: StreamReader, writer: StreamWriter, heard: bytearray) -> None:
        with contextlib.suppress(OSError):
            while part := await reader.read(65536):
                heard += part
                writer.write(part)
        writer.transport.abort()

    async def talk(reader: StreamReader, writer: StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        writers.extend((writer, inner_writer))
        wire.said.append(bytearray())
        await asyncio.gather(
            pump(reader, inner_writer, wire.said[-1]), pump(inner_reader, writer, bytearray())
        )

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)
