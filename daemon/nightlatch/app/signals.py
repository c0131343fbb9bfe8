"""Signals as something to wait for, and kept from a process that is about to be divided."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class Signals:
    """While entered, the watched signals do nothing but wait to be taken."""

    def __init__(self) -> None:
        self._reading, self._writing = socket.socketpair()
        self._reading.settimeout(0)
        self._writing.settimeout(0)

    def __enter__(self) -> Self:
        """Begin."""
        signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        for number in WATCHED:
            signal.signal(number, lambda _number, _frame: None)
        return self

    def __exit__(self, *_: object) -> None:
        """Let signals do again what they do."""
        self.drop()

    def fileno(self) -> int:
        """What to wait on."""
        return self._reading.fileno()

    def take(self) -> list[signal.Signals]:
        """Those that came since, in order; SIGCHLD among them."""
        try:
            return [signal.Signals(number) for number in self._reading.recv(4096)]
        except BlockingIOError:
            return []

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the signals waiting in the kernel."""
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)

    def drop(self) -> None:
        """Be no part of it any more: a new process has its signals for itself."""
        signal.set_wakeup_fd(-1)
        for number in WATCHED:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        self._reading.close()
        self._writing.close()
