"""The command line in a process of its own that need not begin from nothing.

A start of Python with all that ``nightlatch`` imports takes longer than what most commands do. Here one
process (multiprocessing's forkserver) has imported it, and each command is a fork of that one. What is
about the program's start runs the installed program: `testbed.command.program`.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from nightlatch import cli

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from multiprocessing.process import BaseProcess

LONGEST = 60.0
"""Seconds that a command may take."""
_READY = multiprocessing.get_context("forkserver")
_READY.set_forkserver_preload(
    ["testbed.quick_command", *(f"nightlatch.cli.{each.name}" for each in iter_modules(cli.__path__))]
)
_LOCK = threading.Lock()
"""Whoever starts a process or looks for an end: multiprocessing looks after all children each time."""


def run_command(
    argv: Sequence[str | Path],
    typed: str = "",
    environment: Mapping[str, str] | None = None,
    uid: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """What ``nightlatch`` prints and returns; `argv` begins with the program, `typed` is its input.

    With `uid` it is run by that user of the host, in the group of that number alone.
    Raises TimeoutExpired after a minute.
    """
    words = [str(word) for word in argv]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "stdin").write_text(typed, encoding="utf-8")
        process = _READY.Process(target=_be, args=(words, folder, dict(environment or os.environ), uid))
        with _LOCK:
            process.start()
        code = _end(process, LONGEST)
        if code is None:
            process.kill()
            raise subprocess.TimeoutExpired(words, LONGEST)
        said, told = ((folder / stream).read_text(encoding="utf-8") for stream in ("stdout", "stderr"))
    return subprocess.CompletedProcess(words, code, said, told)


def _end(process: BaseProcess, seconds: float) -> int | None:
    """The exit code of a process; None when it still runs after so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with _LOCK:
            if process.exitcode is not None:
                return process.exitcode
        time.sleep(0.01)
    return None


def _be(argv: list[str], folder: Path, environment: Mapping[str, str], uid: int | None) -> None:
    """Be the program, in a new process. Its streams are files, as nobody reads them while it runs."""
    from nightlatch.cli.main import run  # noqa: PLC0415  # where the server has it already

    os.environ.clear()
    os.environ.update(environment)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        flags = os.O_WRONLY | os.O_CREAT if number else os.O_RDONLY
        os.dup2(os.open(folder / name, flags), number)
        setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    sys.argv = argv
    run()
