"""An SMPP server in a loop of its own, for tests around a real daemon."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from testbed.smsc import BIND, SUBMIT, Raw, raw_smsc, receipt, takes_all

if TYPE_CHECKING:
    from collections.abc import Callable

SYSTEM_ID, SMSC_PASSWORD = "acme", "Cnry-7Q"
REFUSED_BIND = 0x0E
UCS2 = 8


class Carrier:
    """An SMPP server in a loop of its own, which lets in who knows the password; can go and come back."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._texts: list[tuple[str, str]] = []
        self.delivers = True
        """What the receipt says that follows each message."""
        self.flood = 0
        """Receipts of messages that nobody sent, after the next message."""
        self._stop: Callable[[], None] = lambda: None
        self.port = 0
        self.up()

    def up(self) -> None:
        """Take connections, always on the same port."""
        context = raw_smsc(self._answer, self.port)
        running = asyncio.run_coroutine_threadsafe(context.__aenter__(), self._loop).result(10)
        self.port = running.port

        def stop() -> None:
            asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), self._loop).result(10)

        self._stop = stop

    def down(self) -> None:
        """Cut every session, and refuse connections."""
        self._stop()
        self._stop = lambda: None

    def close(self) -> None:
        """End it."""
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def to(self, number: str) -> list[str]:
        """The texts that a number was sent."""
        return [text for destination, text in self._texts if destination == number.lstrip("+")]

    def _answer(self, raw: Raw) -> bytes | None:
        if raw.command == BIND and raw.strings[:2] != [SYSTEM_ID.encode(), SMSC_PASSWORD.encode()]:
            return raw.answer(REFUSED_BIND)
        if raw.command == SUBMIT:
            self._texts.append(_submitted(raw.body))
            return raw.answer(body=f"{raw.number:08x}\0".encode()) + self._receipts(raw.number)
        return takes_all(raw)

    def _receipts(self, number: int) -> bytes:
        """The receipt of a message, and the flood."""
        stat = "stat:DELIVRD err:000" if self.delivers else "stat:UNDELIV err:011"
        texts = [f"id:{number:08x} {stat}", *(f"id:none-{one} stat:DELIVRD" for one in range(self.flood))]
        self.flood = 0
        return b"".join(receipt(text.encode()) for text in texts)


def _submitted(body: bytes) -> tuple[str, str]:
    """Destination and text of a submit_sm (SMPP 3.4, 4.4.1)."""
    rest = body.split(b"\0", 1)[1][2:].split(b"\0", 1)[1][2:]
    destination, rest = rest.split(b"\0", 1)
    rest = rest[3:].split(b"\0", 2)[2]
    alphabet = "utf-16-be" if rest[2] == UCS2 else "latin-1"
    return destination.decode(), rest[5 : 5 + rest[4]].decode(alphabet)
