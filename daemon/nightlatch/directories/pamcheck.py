"""The entry point of ``nightlatch-pamcheck``. The program itself is `nightlatch.directories.pamcheck_server`.

MUST 1: no setting of the environment, and nothing in a user's site folder, decides what runs as root. So
        this module imports nothing that could be replaced, and starts Python anew with ``-I``.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def run() -> NoReturn:
    """Become ``python -I -m nightlatch.directories.pamcheck_server``, with the same arguments."""
    program = [sys.executable, "-I", "-m", "nightlatch.directories.pamcheck_server", *sys.argv[1:]]
    os.execv(sys.executable, program)  # noqa: S606 - no shell, and the very interpreter that runs now


if __name__ == "__main__":
    run()
