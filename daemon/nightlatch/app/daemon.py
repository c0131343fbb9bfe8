"""A running daemon: serves, reloads, stops.

MUST 1: SIGHUP replaces the configuration by a right one; a wrong one changes nothing, and is told.
MUST 2: SIGTERM takes nothing new and lets what is under way finish, for at most 10 seconds.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from nightlatch.app.fronts import Fronts
from nightlatch.app.notify import Notifier, Superior
from nightlatch.app.receipt_generations import follow
from nightlatch.app.worker import CONFIG_TAKEN, TROUBLE
from nightlatch.errors import ConfigError, Unavailable
from nightlatch.model import AuditEvent, Result

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from nightlatch.app.core import Core
    from nightlatch.app.world import World
    from nightlatch.config import Config

GRACE_SECONDS = 10.0
OLD_CORE_SECONDS = 60.0
"""How long the parts of a replaced configuration stay for the logins that are inside them."""


class Daemon:
    """One core, which a reload replaces, behind the fronts."""

    def __init__(self, core: Core, world: World, load: Callable[[], Awaitable[Core]]) -> None:
        """`load` builds a core of the configuration as it is then; raises ConfigError."""
        self._core = core
        self._world = world
        self._load = load
        self._loading = asyncio.Lock()
        self._log = world.log
        self._superior: Superior = world.worker or Notifier(os.environ)
        self._stopping = asyncio.Event()
        self._background: set[asyncio.Task[None]] = set()
        self._fronts = Fronts(lambda: self._core, world)

    async def run(self, passed: dict[str, socket.socket]) -> None:
        """Serve until SIGTERM or SIGINT; raises ConfigError when a socket can not be made."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self._reload()))
        if self._world.worker is not None:
            self._world.worker.listen(loop, self._stopping.set)
        await self._fronts.start(passed)
        self._core.serve()
        self._spawn(self._keep_watch())
        self._spawn(follow(self._world))
        self._log.info("worker.ready" if self._world.worker else "daemon.ready", pid=os.getpid())
        self._superior.send("READY=1", "STATUS=Serving")
        await self._stopping.wait()
        self._log.info("daemon.stopping", grace_seconds=GRACE_SECONDS)
        self._superior.send("STOPPING=1")
        await self._fronts.stop(GRACE_SECONDS)
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._core.close()
        self._log.info("daemon.stopped")

    def _spawn(self, work: asyncio.Future[None] | Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _reload(self) -> None:
        """Take the new configuration, all of it or nothing; logins go on with the old one until then."""
        async with self._loading:
            await self._reload_now()

    async def _reload_now(self) -> None:
        self._superior.send("RELOADING=1", f"MONOTONIC_USEC={int(self._world.clock.steady() * 1e6)}")
        old = self._core
        try:
            self._core = await self._load()
        except ConfigError as error:
            self._log.error("config.refused", problems=error.lines(), kept="the running configuration")
            await self._record("config.refused", Result.REFUSED, f"{len(error.problems)} problems")
            self._superior.send("READY=1")
        else:
            later = _needing_restart(old.config, self._core.config)
            self._fronts.reload()
            self._log.info("config.reloaded", needs_restart=later or None)
            self._spawn(_hand_over(old, self._core))
            await self._record("config.reloaded", Result.CHANGED, _waits_for_restart(later))
            self._spawn(self._retire(old))
            self._superior.send("READY=1", CONFIG_TAKEN)

    async def _record(self, event: str, result: Result, reason: str) -> None:
        """Write into the audit what became of a configuration; of several workers, one does."""
        if self._world.worker is not None and self._world.worker.number != 1:
            return
        with suppress(Unavailable):  # the log has it
            await self._core.store.record(AuditEvent(event, result, reason, ""))

    async def _retire(self, old: Core) -> None:
        """Close the parts of the configuration before, once the logins inside them are over."""
        try:
            await self._world.clock.sleep(OLD_CORE_SECONDS)
        finally:
            await old.close()

    async def _keep_watch(self) -> None:
        """Tell the watchdog, systemd's or the parent's, that the daemon lives, and what does not work."""
        seconds = self._superior.watchdog_seconds
        while seconds:
            trouble = []
            try:
                await self._world.store.health()
            except Unavailable as error:
                self._log.warning("store.unavailable", reason=str(error))
                trouble = [TROUBLE + " ".join(str(error).split())]
            self._superior.send("WATCHDOG=1", *trouble)
            await self._world.clock.sleep(seconds / 2)


async def _hand_over(old: Core, new: Core) -> None:
    """Let the new configuration do what one of them does at a time."""
    await old.hand_over()
    new.serve()


def _waits_for_restart(tables: list[str]) -> str:
    return f"{', '.join(tables)} from the next start on" if tables else ""


def _needing_restart(old: Config, new: Config) -> list[str]:
    """The tables whose changes wait for a restart. An application's files and clients do not."""
    tables = ("daemon", "store", "audit", "log", "tracing")
    later = [table for table in tables if getattr(new, table) != getattr(old, table)]
    before, after = old.listeners, new.listeners
    fixed = [(one.pam, one.admin, one.applications and one.applications.address) for one in (before, after)]
    if old.metrics.address != new.metrics.address:
        later.append("metrics")
    return [*later, *(["listeners"] if fixed[0] != fixed[1] else [])]
