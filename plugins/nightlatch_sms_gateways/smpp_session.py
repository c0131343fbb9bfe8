"""One bound connection to an SMPP server: requests and their answers, receipts, and signs of life.

MUST 1: each answer goes to the request of its number, and one that comes too late goes nowhere.
MUST 2: a server that is silent for two times `keep_alive` is left; all that wait are told why.
MUST 3: a receipt is acknowledged before anybody looks at it, so that none holds up the next.
MUST 4: a server that asks without an end is read slowly: it gets no more of the daemon's time than that.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from nightlatch_sms_gateways.smpp_pdu import HEADER_BYTES, BadPdu, Header, Pdu, encode, read, read_header

if TYPE_CHECKING:
    from asyncio import Future, StreamReader, StreamWriter

    from nightlatch_sms_gateways.smpp_receipts import Receipts

UNBIND_SECONDS = 1.0
"""How long a server is given to say goodbye."""
MOST_UNSENT = 1 << 20
"""Octets that may wait for a server that asks and does not read."""
UNASKED_AT_ONCE = 50
"""Requests of the server's own, receipts above all, after which it waits for `UNASKED_PAUSE` seconds."""
UNASKED_PAUSE = 0.1
INVALID_COMMAND = 0x03
_NUMBERS = 0x7FFF_FFFF


class SessionEnded(Exception):
    """The session is over; the text says why."""


class Session:
    """A connection; `run` reads it until its end, and must run for `request` to get answers."""

    def __init__(
        self, reader: StreamReader, writer: StreamWriter, receipts: Receipts, keep_alive: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._receipts = receipts
        self._keep_alive = keep_alive
        self._header: Header | None = None
        self._number = 0
        self._waiting: dict[int, Future[Pdu]] = {}
        self._ended = ""
        self._unasked = 0

    async def request(self, command: str, **fields: str | bytes | int) -> Pdu:
        """Send a request and wait for its answer; raises SessionEnded."""
        if self._ended:
            raise SessionEnded(self._ended)
        self._number = self._number % _NUMBERS + 1
        number = self._number
        answer: Future[Pdu] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._writer.write(encode(command, number, **fields))
            await self._writer.drain()
            return await answer
        except OSError:
            raise SessionEnded("the connection broke") from None
        finally:
            del self._waiting[number]

    async def run(self) -> str:
        """Read until the session ends; why it did."""
        try:
            await self._read_all()
        except SessionEnded as ended:
            self._ended = str(ended)
        except BadPdu as bad:
            self._ended = f"the server sent {bad}"
        except (OSError, EOFError):
            self._ended = "the server hung up"
        finally:
            self._ended = self._ended or "the channel is closed"
            self._writer.transport.abort()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(SessionEnded(self._ended))
            with suppress(OSError):
                await self._writer.wait_closed()
        return self._ended

    async def goodbye(self) -> None:
        """Unbind, for a bounded time."""
        with suppress(SessionEnded, TimeoutError):
            async with asyncio.timeout(UNBIND_SECONDS):
                await self.request("unbind")

    async def _read_all(self) -> None:
        asked = False
        while True:
            try:
                async with asyncio.timeout(self._keep_alive):
                    pdu = await self._next()
            except TimeoutError:
                if asked:
                    raise SessionEnded("the server is silent") from None
                asked = True
                self._number = self._number % _NUMBERS + 1
                self._writer.write(encode("enquire_link", self._number))
            else:
                asked = False
                self._handle(pdu)
                if not pdu.header.is_response:
                    await self._slow_down()
            if self._writer.transport.get_write_buffer_size() > MOST_UNSENT:
                raise SessionEnded("the server does not read")

    async def _slow_down(self) -> None:
        """Leave the next request where it is, once the server has asked for so many."""
        self._unasked += 1
        if self._unasked >= UNASKED_AT_ONCE:
            self._unasked = 0
            await asyncio.sleep(UNASKED_PAUSE)

    async def _next(self) -> Pdu:
        """The next PDU. May be cancelled between its header and its body, and called again."""
        if self._header is None:
            self._raw = await self._reader.readexactly(HEADER_BYTES)
            self._header = read_header(self._raw)
        header = self._header
        body = await self._reader.readexactly(header.length - HEADER_BYTES)
        self._header = None
        return read(header, self._raw + body)

    def _handle(self, pdu: Pdu) -> None:
        header = pdu.header
        if header.is_response:
            answer = self._waiting.get(header.number)
            if answer is not None and not answer.done():
                answer.set_result(pdu)
        elif header.command in {"deliver_sm", "enquire_link"}:
            self._writer.write(encode(f"{header.command}_resp", header.number))
            if pdu.receipt is not None:
                self._pass_on(pdu)
        elif header.command == "unbind":
            self._writer.write(encode("unbind_resp", header.number))
            raise SessionEnded("the server ended the session")
        else:
            self._writer.write(encode("generic_nack", header.number, status=INVALID_COMMAND))

    def _pass_on(self, pdu: Pdu) -> None:
        assert pdu.receipt is not None
        try:
            self._receipts(pdu.receipt)
        except Exception:  # noqa: BLE001, who takes receipts is somebody else, and must not end the session
            logging.getLogger(__name__).warning("a delivery receipt could not be recorded")
