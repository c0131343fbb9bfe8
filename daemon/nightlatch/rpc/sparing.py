"""Log lines that a stranger can cause.

MUST 1: whoever knocks can not fill the log: what is above `MOST` lines a second is counted, not written.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import structlog

MOST = 20
"""Lines a second."""


class SparingLog:
    """Writes warnings, a few a second; the next line says how many were left out."""

    def __init__(self, log: structlog.stdlib.BoundLogger) -> None:
        self._log = log
        self._second = -1
        self._written = 0
        self._left_out = 0

    def warning(self, event: str, **fields: object) -> None:
        """Write a line, unless there were enough."""
        second = int(asyncio.get_running_loop().time())
        if second != self._second:
            self._second, self._written = second, 0
        if self._written >= MOST:
            self._left_out += 1
            return
        self._written += 1
        self._log.warning(event, **fields, left_out=self._left_out or None)
        self._left_out = 0
