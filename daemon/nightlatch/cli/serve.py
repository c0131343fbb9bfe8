"""The daemon's process, started by `nightlatch.cli.daemon`.

MUST 1: no core is dumped and nobody attaches, from before the first secret is read (LEK-02).
MUST 2: what the daemon makes is its own: umask 077 (STO-05).
MUST 3: a thread that ends without memory ends the process: nobody would do its work (FLT-01).
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import sys
import threading
from importlib.metadata import version
from pathlib import Path

from nightlatch.app.serve import serve
from nightlatch.errors import end_without_memory

DEFAULT_CONFIG = Path("/etc/nightlatch/nightlatch.toml")
_PR_SET_DUMPABLE = 4


def run() -> int:
    """Read the arguments, protect the process, serve; the exit code."""
    path = _arguments().config
    protect_process()
    threading.excepthook = _thread_ended
    return serve(path)


def protect_process() -> None:
    """No cores, no debugger, no rights for others on what is made; raises OSError where that is refused."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE) was refused")


def _thread_ended(end: threading.ExceptHookArgs) -> None:
    if isinstance(end.exc_value, MemoryError):
        end_without_memory()
    threading.__excepthook__(end)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="nightlatchd",
        description="The second lock on every login: the daemon.",
        epilog="Exit codes: 0 stopped as asked, 2 something must be put right first, 3 the store is away, "
        "71 there was no memory.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"nightlatchd {version('nightlatch')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("serve", help="serve until SIGTERM; SIGHUP reads the configuration again")
    command.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help="the configuration (default: %(default)s)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run())
