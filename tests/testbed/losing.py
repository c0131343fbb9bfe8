"""A wire between an application and a daemon that loses answers. It passes bytes on, and understands none."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class LosingWire:
    """Listens on a port of its own, and connects to the daemon's for each connection there."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._keeping = threading.Event()
        """Set while the daemon's bytes go nowhere."""
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        for thread in self._threads:
            thread.join()

    def lose(self) -> None:
        """From now on nothing that the daemon says arrives."""
        self._keeping.set()

    def cut(self) -> None:
        """End all connections; those to come are whole again."""
        open_ones, self._sockets = self._sockets, []
        for one in open_ones:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._keeping.clear()

    def _serve(self) -> None:
        while True:
            try:
                application, _ = self._listening.accept()
            except OSError:
                return
            try:
                daemon = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                application.close()
                continue
            self._sockets += [application, daemon]
            for source, sink, loses in ((application, daemon, False), (daemon, application, True)):
                thread = threading.Thread(target=self._pass_on, args=(source, sink), kwargs={"loses": loses})
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, *, loses: bool) -> None:
        with contextlib.suppress(OSError), source:
            while data := source.recv(65536):
                if not (loses and self._keeping.is_set()):
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
