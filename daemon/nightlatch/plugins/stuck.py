"""Notices calls that do not come back. A thread can not be stopped, but others need not join it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS: Final = 1.0


class StuckCalls:
    """The running calls of one factor, over all threads."""

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._lock = threading.Lock()
        self._started: dict[object, float] = {}

    def enter(self) -> object | None:
        """Note a new call; None while another one runs for longer than `PATIENCE_SECONDS`."""
        call = object()
        now = self._steady()
        with self._lock:
            for started in self._started.values():
                if now - started > PATIENCE_SECONDS:
                    return None
            self._started[call] = now
        return call

    def leave(self, call: object) -> float:
        """Forget a call that came back; returns how many seconds it took."""
        with self._lock:
            started = self._started.pop(call)
        return self._steady() - started
