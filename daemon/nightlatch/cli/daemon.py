"""``nightlatchd``: the daemon's command. Starts the interpreter anew, cut off from its surroundings.

MUST 1: the daemon runs with ``python -I``: neither PYTHONPATH, nor the user's packages, nor the current
        folder say what is imported (PLG-02).
MUST 2: nothing but the standard library is imported before that.
"""

from __future__ import annotations

import os
import sys


def run() -> None:
    """The entry point of ``nightlatchd``; does not return. The process and its descriptors stay the same."""
    arguments = [sys.executable, "-I", "-m", "nightlatch.cli.serve", *sys.argv[1:]]
    os.execv(sys.executable, arguments)  # noqa: S606, no shell is wanted


if __name__ == "__main__":
    run()
