"""A child process with its output in a file, stopped by its pid."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Child:
    """A server that a test started. Its output goes to `log`."""

    def __init__(
        self, argv: Sequence[str | Path], log: Path, env: dict[str, str] | None = None, **options: object
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # type: ignore[call-overload]  # options are Popen's own
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=env,
                **options,
            )

    @property
    def pid(self) -> int:
        """The child's pid."""
        return int(self._process.pid)

    def running(self) -> bool:
        """Whether the child still runs."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send the child a signal; SIGSTOP has stopped it afterwards."""
        if number is signal.SIGSTOP:
            freeze(self.pid)
        else:
            os.kill(self.pid, number)

    def wait(self, seconds: float = 40) -> int:
        """Wait until the child ended by itself; its exit code."""
        return int(self._process.wait(seconds))

    def stop(self, seconds: float = 30) -> int:
        """End the child: SIGTERM, then SIGKILL; its exit code."""
        if self.running():
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                return self.wait(seconds)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
        return self.wait()

    def output(self) -> str:
        """All that the child has printed so far."""
        return self.log.read_text(errors="replace")


def wait_until(ready: Callable[[], bool], what: str, child: Child | None = None, seconds: float = 40) -> None:
    """Poll `ready` until it holds; raises AssertionError with the child's output when it does not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        if child is not None and not child.running():
            break
        time.sleep(0.01)
    said = "" if child is None else f"; it said:\n{child.output()[-4000:]}"
    message = f"{what} was not ready in {seconds} s{said}"
    raise AssertionError(message)


def freeze(pid: int) -> None:
    """Stop a process (SIGSTOP), and wait until each of its threads stands still: kill(2) does not."""
    os.kill(pid, signal.SIGSTOP)

    def states() -> set[str]:
        found = set()
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):  # a thread that has just ended
                found.add((task / "stat").read_text().rpartition(")")[2].split()[0])
        return found

    wait_until(lambda: states() <= {"T", "t", "Z", "X"}, f"the stop of {pid}")
