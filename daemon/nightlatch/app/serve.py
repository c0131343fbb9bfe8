"""Starts the daemon.

MUST 1: it serves only after everything was built: a wrong configuration, key or store stops the start, and
        every problem is told at once.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import uvloop

from nightlatch.app.applications import listening_at
from nightlatch.app.audit_heads import KeptHeads
from nightlatch.app.daemon import Daemon
from nightlatch.app.folders import master_key, private_folder, store_url
from nightlatch.app.loading import build_checked_core, checked_config, load_core
from nightlatch.app.logs import DirectWriter, bound_log, open_log
from nightlatch.app.receipt_generations import stored_keys
from nightlatch.app.supervisor import Supervisor
from nightlatch.app.system import SystemClock, SystemRandomness
from nightlatch.app.watching import open_telemetry
from nightlatch.app.world import Audit, World
from nightlatch.errors import ConfigError, Unavailable
from nightlatch.rpc.sockets import OPEN_TO_ALL, make_socket, passed_sockets
from nightlatch.store.behind import store_is_behind
from nightlatch.store.opening import open_store, store_epoch

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    import structlog

    from nightlatch.app.worker import WorkerLink
    from nightlatch.config import Config

EXIT_WRONG = 2
EXIT_UNAVAILABLE = 3
OLDER = (
    "if a backup was put back, codes that were used count again, and a receipt's key that was withdrawn signs"
    " again: stop the daemon, nightlatch store restored"
)
SWITCH_SECONDS = 0.001
"""How long a thread that computes may keep the interpreter from the others. Measured: while reports read
whole directories, the p99 of logins is 115 ms, and 200 ms with Python's own 5 ms."""
COLLECT_AFTER = 20_000
"""Allocations, less those freed, between two collections of young objects."""


def serve(path: Path) -> int:
    """Run the daemon with the configuration at `path` until a signal ends it; the exit code.

    0 after a signal, 2 when something has to be put right first, 3 when the store could not be reached.
    """
    passed = passed_sockets(os.environ, os.getpid())
    try:
        config = checked_config(path, frozenset(passed))
        if config.daemon.workers > 1:
            return _supervise(config, path, passed)
        return _serve_here(config, path, passed)
    except ConfigError as error:
        return _told(error.problems, EXIT_WRONG)


def _supervise(config: Config, path: Path, passed: dict[str, socket.socket]) -> int:
    """Let workers serve; raises ConfigError. The unix sockets are made here, once, and taken over by all."""
    names = frozenset(passed)
    applications = config.listeners.applications
    if applications is not None and "applications" not in passed:
        listening_at(applications.address).close()  # nobody else may be there: from here on it is shared
    for name, wanted in (("pam", config.listeners.pam), ("admin", config.listeners.admin)):
        if name not in passed:
            passed[name] = make_socket(wanted.socket, f"listeners.{name}.socket")
    account = config.listeners.account
    if account is not None and "account" not in passed:
        passed["account"] = make_socket(account.socket, "listeners.account.socket", OPEN_TO_ALL)
    gc.freeze()  # what the workers share stays shared for longer
    return Supervisor(
        config,
        lambda: checked_config(path, names),
        lambda taken, link: _serve_here(taken, path, passed, link),
        SystemClock(),
        bound_log(config.log, DirectWriter(sys.stderr), sys.stderr),
    ).run()


def _serve_here(
    config: Config, path: Path, passed: dict[str, socket.socket], worker: WorkerLink | None = None
) -> int:
    """Serve in this process; the exit code."""
    log, writer = open_log(config.log)
    try:
        world = _world(config, log.bind(worker=worker.number) if worker else log, worker)
        _spare_the_collector()
        sys.setswitchinterval(SWITCH_SECONDS)
        uvloop.run(_serve(world, config, path, passed))
    except ConfigError as error:
        return _told(error.problems, EXIT_WRONG)
    except Unavailable as error:
        return _told((str(error),), EXIT_UNAVAILABLE)
    finally:
        writer.close()
    return 0


def _spare_the_collector() -> None:
    """Leave what the start has made out of every later collection, and collect less often.

    Measured: the collector took a quarter of the time of a busy store. What a login leaves behind is freed by
    reference counting; cycles are rare, and still found.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)


def _world(config: Config, log: structlog.stdlib.BoundLogger, worker: WorkerLink | None) -> World:
    """What stays for the daemon's whole life: folders, key, store."""
    private_folder(config.daemon.state_dir, "daemon.state_dir")
    private_folder(config.daemon.runtime_dir, "daemon.runtime_dir")
    if worker is not None:
        private_folder(worker.inner_dir(config.daemon.runtime_dir), "daemon.runtime_dir")
    clock, randomness = SystemClock(), SystemRandomness()
    key = master_key(config, randomness, log)
    telemetry = open_telemetry(config, clock)
    heads = KeptHeads(config.daemon.state_dir, log)
    heads.shorten()
    store = open_store(
        store_url(config),
        key,
        clock,
        randomness,
        telemetry,
        witness=heads,
        retention_days=config.audit.retention_days,
    )
    epoch = store_epoch(store_url(config))
    receipt_keys = stored_keys(store_url(config), key, epoch)
    _tell_of_an_older_store(config, heads, log)
    return World(
        store,
        key,
        clock,
        randomness,
        log,
        telemetry,
        Audit(store.audit, heads, store.feed),
        receipt_keys,
        worker,
        epoch,
    )


def _tell_of_an_older_store(config: Config, heads: KeptHeads, log: structlog.stdlib.BoundLogger) -> None:
    """Log, where a backup was put back and not made safe. The start goes on: nobody is locked out for it."""
    with suppress(OSError):  # the heads can not be read; that is logged where they are written
        if store_is_behind(store_url(config), heads.lines()):
            log.error("store.older_than_its_audit", advice=OLDER)


async def _serve(world: World, config: Config, path: Path, passed: dict[str, socket.socket]) -> None:
    try:
        core = await build_checked_core(config, path, world)
        await Daemon(core, world, lambda: load_core(path, frozenset(passed), world)).run(passed)
    finally:
        await world.store.close()
        await asyncio.to_thread(world.telemetry.close)


def _told(problems: tuple[str, ...], code: int) -> int:
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    sys.stderr.write("\n".join((*problems, f"{count}. The daemon did not start.\n")))
    return code
