"""What the disk takes for one durable write: nobody who commits before they answer is quicker than that."""

from __future__ import annotations

import os
import statistics
import time
from typing import TYPE_CHECKING

from bench.figures import Figure, beside

if TYPE_CHECKING:
    from pathlib import Path

PAGE = b"\0" * 4096
_TIMES = 200


def durable_write(folder: Path) -> float:
    """Seconds for writing a page of a file that has its size already, and fdatasync(2); the median."""
    file = os.open(folder / "page", os.O_RDWR | os.O_CREAT, 0o600)
    times = []
    try:
        for _ in range(_TIMES):
            began = time.perf_counter()
            os.pwrite(file, PAGE, 0)
            os.fdatasync(file)
            times.append(time.perf_counter() - began)
    finally:
        os.close(file)
    return statistics.median(times)


def ceiling(echo: Figure, seconds: float) -> Figure:
    """What one call at a time could come to at most: the echo, and one durable write behind it."""
    rate = 1 / (1 / echo.value + seconds)
    return beside(f"{echo.name}: with one durable write of {seconds * 1e3:.2f} ms", rate, "calls/s", echo)
