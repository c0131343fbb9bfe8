"""One worker's place in its parent: the process that holds it, and when to start the next one."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from nightlatch.app.worker import CONFIG_TAKEN, LONGEST_MESSAGE, TROUBLE, WorkerState

if TYPE_CHECKING:
    import signal
    import socket

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Between the end of a worker and the start of the next one; doubled each time."""
STEADY_AFTER = 60.0
"""Whoever served so long begins again with the first pause."""
STARTING_SECONDS = 60.0
HUNG_SECONDS = 30.0
"""A worker that starts, or is silent, for longer is ended."""


class Slot:
    """A worker's place. Times are seconds of the steady clock, but for `since`."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.pid = 0
        self.end: socket.socket | None = None
        self.ready = False
        self.since = 0.0
        self.restarts = -1
        self.trouble = ""
        self.due = 0.0
        """When the next one may start, while there is none."""
        self.heard = 0.0
        self.silenced = False
        """Whether it has closed its end: it is about to be gone."""
        self.reloading = False
        """Whether it was told to read the configuration, and has not answered."""
        self.behind = False
        """Whether a configuration was taken while it started: it reads it when it is ready."""
        self._began = 0.0
        self._pause = FIRST_PAUSE

    @property
    def state(self) -> WorkerState:
        """What the workers are told of it."""
        return WorkerState(self.number, self.pid, self.ready, self.since, max(0, self.restarts), self.trouble)

    def started(self, pid: int, end: socket.socket, since: float, now: float) -> None:
        """A process has taken the place."""
        end.settimeout(0)
        self.pid, self.end, self.since = pid, end, since
        self.heard = self._began = now
        self.ready = self.reloading = self.behind = self.silenced = False
        self.restarts += 1
        self.trouble = ""

    def ended(self, reason: str, now: float) -> float:
        """The process is gone; in how many seconds the next one starts."""
        if self.end is not None:
            self.end.close()
        if self.ready and now - self._began > STEADY_AFTER:
            self._pause = FIRST_PAUSE
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        self.pid, self.end, self.ready, self.reloading = 0, None, False, False
        self.trouble, self.due = reason, now + pause
        return pause

    def hear(self, now: float) -> list[str]:
        """The lines of all messages that wait; none when the process has nothing to say."""
        lines: list[str] = []
        if self.end is None:
            return lines
        with suppress(OSError):
            while message := self.end.recv(LONGEST_MESSAGE):
                lines += message.decode(errors="replace").split("\n")
                self.heard = now
            self.silenced = True
        if "WATCHDOG=1" in lines:
            said = [line.removeprefix(TROUBLE) for line in lines if line.startswith(TROUBLE)]
            self.trouble = said[-1] if said else ""
        return lines

    def tell(self, message: bytes) -> None:
        """Send a message, unless the process does not take any."""
        if self.end is not None:
            with suppress(OSError):
                self.end.send(message)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal. Its pid is its own until the parent has reaped it."""
        if self.pid:
            os.kill(self.pid, number)

    def hangs(self, now: float) -> bool:
        """Whether it has been silent for too long."""
        return bool(self.pid) and now - self.heard > (HUNG_SECONDS if self.ready else STARTING_SECONDS)

    def takes(self, lines: list[str]) -> bool:
        """Whether it has taken a new configuration; any answer ends its reload."""
        if "READY=1" not in lines:
            return False
        self.reloading = False
        return CONFIG_TAKEN in lines
