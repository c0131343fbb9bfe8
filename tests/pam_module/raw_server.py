"""A server that speaks HTTP/2 by hand, right or wrong as its script says."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from nightlatch.v1 import login_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS = 1, 4
CLOSE = None  # hang up

Fields = tuple[tuple[str, str], ...]
Part = bytes | float | None

OK: Fields = ((":status", "200"), ("content-type", "application/grpc"))


def frame(kind: int, flags: int = 0, payload: bytes = b"", stream: int = 1) -> bytes:
    """One HTTP/2 frame (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


HELLO = frame(SETTINGS, stream=0)


def headers(fields: Fields = OK, *, last: bool = False) -> bytes:
    """A header block of literals without indexing (RFC 7541, section 6.2.2)."""
    block = b""
    for name, value in fields:
        assert len(name) < 127
        assert len(value) < 127
        block += b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
    return frame(HEADERS, END_HEADERS | (END_STREAM if last else 0), block)


def trailers(status: str = "0") -> bytes:
    """The header block that ends a gRPC answer."""
    return headers((("grpc-status", status),), last=True)


def message(packed: bytes, *, compressed: int = 0, length: int | None = None) -> bytes:
    """A DATA frame with a gRPC message in it; `length` announces another length than it has."""
    announced = len(packed) if length is None else length
    return frame(DATA, 0, struct.pack(">BI", compressed, announced) + packed)


def granted(user: str = "alice", text: str = "") -> bytes:
    """A packed answer that grants."""
    found = login_pb2.Outcome(verdict=login_pb2.VERDICT_GRANTED, user=user, message=text)
    return login_pb2.BeginLoginResponse(step=login_pb2.Step(outcome=found)).SerializeToString()


GRANT = message(granted())
RIGHT: tuple[Part, ...] = (headers(), GRANT, trailers())


class RawServer:
    """Greets each connection, waits for its request, and plays the next script; the last one for ever.

    A part of a script is bytes to send, seconds to wait before the next part, or CLOSE. After the script
    the connection stays open until the client ends it. A script that begins with CLOSE hangs up at once.
    Only the first `greetings` connections are greeted, where it is given.
    """

    def __init__(
        self, path: Path, *scripts: Sequence[Part], hello: bytes = HELLO, greetings: int | None = None
    ) -> None:
        self.requests = 0
        self.connections = 0
        self._scripts = list(scripts)
        self._hello = hello
        self._greetings = greetings
        self._leaving = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and end what is open."""
        self._leaving.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._leaving.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            script = self._scripts[0] if len(self._scripts) == 1 else self._scripts.pop(0)
            with connection, suppress(OSError, EOFError):
                connection.settimeout(20)
                self._serve(connection, script)

    def _serve(self, connection: socket.socket, script: Sequence[Part]) -> None:
        if script[:1] == (CLOSE,):
            return
        if self._greetings is None or self.connections <= self._greetings:
            connection.sendall(self._hello)
        self._request(connection)
        for part in script:
            if isinstance(part, bytes):
                connection.sendall(part)
            elif part is CLOSE:
                return
            else:
                self._leaving.wait(part)
        while connection.recv(4096):
            pass

    def _request(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as incoming:
            _exactly(incoming, len(PREFACE))
            while True:
                head = _exactly(incoming, 9)
                _exactly(incoming, int.from_bytes(head[:3], "big"))
                if head[3] == DATA and head[4] & END_STREAM:
                    self.requests += 1
                    return


def _exactly(incoming: BinaryIO, size: int) -> bytes:
    found = incoming.read(size)
    if len(found) < size:
        raise EOFError
    return found


def in_pieces(data: bytes, pause: float, size: int = 1) -> tuple[Part, ...]:
    """The bytes, `size` at a time, with a pause after each."""
    pieces: list[Part] = []
    for at in range(0, len(data), size):
        pieces += [data[at : at + size], pause]
    return tuple(pieces)


def every_cut(data: bytes, cut: Callable[[int], bool] = lambda _at: True) -> list[bytes]:
    """All proper beginnings of `data` whose length `cut` wants."""
    return [data[:at] for at in range(len(data)) if cut(at)]
