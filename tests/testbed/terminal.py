"""A program at a terminal of its own.

Started by `subprocess`, not by a fork of this process: gRPC's threads in a test do not survive one.
"""

from __future__ import annotations

import os
import subprocess
import termios
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pexpect.fdpexpect import fdspawn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextmanager
def at_a_terminal(
    argv: Sequence[str], env: dict[str, str], columns: int
) -> Iterator[tuple[fdspawn[str], subprocess.Popen[bytes]]]:
    """The terminal, 60 lines high, and the program at it, which has to end before the block does."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (60, columns))
    with subprocess.Popen(
        argv, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as program:
        os.close(theirs)
        terminal = fdspawn(ours, timeout=30, encoding="utf-8")
        try:
            yield terminal, program
        finally:
            terminal.close()
            program.wait(30)
