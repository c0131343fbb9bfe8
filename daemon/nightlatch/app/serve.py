"""Starts the daemon.

MUST 1: it serves only after everything was built: a wrong configuration, key or store stops the start, and
        every problem is told at once.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import uvloop

from nightlatch.app.core import World, build_core
from nightlatch.app.daemon import Daemon
from nightlatch.app.folders import master_key, private_folder, store_url
from nightlatch.app.logs import open_log
from nightlatch.app.system import SystemClock, SystemRandomness
from nightlatch.config import check_config, load_config
from nightlatch.errors import ConfigError, Unavailable
from nightlatch.rpc.sockets import passed_sockets
from nightlatch.store.open import open_store

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from nightlatch.config import Config

EXIT_WRONG = 2
EXIT_UNAVAILABLE = 3


def serve(path: Path) -> int:
    """Run the daemon with the configuration at `path` until a signal ends it; the exit code.

    0 after a signal, 2 when something has to be put right first, 3 when the store could not be reached.
    """
    try:
        uvloop.run(_serve(path))
    except ConfigError as error:
        return _told(error.problems, EXIT_WRONG)
    except Unavailable as error:
        return _told((str(error),), EXIT_UNAVAILABLE)
    return 0


def _told(problems: tuple[str, ...], code: int) -> int:
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    sys.stderr.write("\n".join((*problems, f"{count}. The daemon did not start.\n")))
    return code


async def _serve(path: Path) -> None:
    passed = passed_sockets(os.environ, os.getpid())
    config = _checked(path, passed)
    log, writer = open_log(config.log)
    try:
        private_folder(config.daemon.state_dir, "daemon.state_dir")
        private_folder(config.daemon.runtime_dir, "daemon.runtime_dir")
        clock, randomness = SystemClock(), SystemRandomness()
        key = master_key(config, randomness, log)
        store = await open_store(store_url(config), key, clock, randomness)
        try:
            world = World(store, key, clock, randomness, log)
            await Daemon(build_core(config, world), world, lambda: _checked(path, passed)).run(passed)
        finally:
            await store.close()
    finally:
        writer.close()


def _checked(path: Path, passed: dict[str, socket.socket]) -> Config:
    """The configuration; raises ConfigError with every problem of it and of what it names."""
    problems = check_config(path, frozenset(passed))
    if problems:
        raise ConfigError(problems)
    return load_config(path)
