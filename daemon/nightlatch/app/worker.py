"""A worker process, and what it and its parent tell each other.

The worker speaks as it would to systemd (sd_notify(3)), one datagram a message; the parent answers with the
state of all workers, so that any of them can tell it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable, Iterable
    from pathlib import Path

LONGEST_MESSAGE = 65_536
WATCHDOG_SECONDS = 10.0
"""A worker is heard from twice in that time, as long as its loop turns."""
TROUBLE = "X_TROUBLE="
CONFIG_TAKEN = "X_CONFIG=taken"


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One worker, as its parent knows it."""

    number: int
    pid: int
    """0 while there is none: it ended, and the next one waits for its time."""
    ready: bool
    since: float
    """When it was started, in Unix seconds."""
    restarts: int
    trouble: str
    """What does not work in it; empty when all does."""


def packed(states: Iterable[WorkerState]) -> bytes:
    """The states as one message."""
    return json.dumps([asdict(state) for state in states]).encode()


class WorkerLink:
    """The worker's end. It takes the place of systemd for the daemon inside the worker."""

    watchdog_seconds = WATCHDOG_SECONDS

    def __init__(self, number: int, daemon_since: float, end: socket.socket) -> None:
        end.settimeout(0)
        self.number = number
        self.daemon_since = daemon_since
        """When the parent was started, in Unix seconds."""
        self.states: tuple[WorkerState, ...] = ()
        """All workers, as the parent has told last."""
        self._end = end

    def inner_dir(self, runtime_dir: Path) -> Path:
        """The folder of this worker's own inner sockets."""
        return runtime_dir / str(self.number)

    def send(self, *lines: str) -> None:
        """Tell the parent; one that does not listen is noticed elsewhere."""
        with suppress(OSError):
            self._end.send("\n".join(lines).encode())

    def listen(self, loop: asyncio.AbstractEventLoop, orphaned: Callable[[], None]) -> None:
        """Hear the parent; `orphaned` is called when it is gone."""

        def hear() -> None:
            try:
                message = self._end.recv(LONGEST_MESSAGE)
            except BlockingIOError:
                return
            except OSError:
                message = b""
            if message:
                self.states = tuple(WorkerState(**one) for one in json.loads(message))
            else:
                loop.remove_reader(self._end)
                orphaned()

        loop.add_reader(self._end, hear)
