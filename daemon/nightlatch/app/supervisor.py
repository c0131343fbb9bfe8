"""The parent of the worker processes: starts them, and others in the place of those that end or hang.

MUST 1: it holds no key, opens no store and serves nobody.
MUST 2: it forks with one thread only: a lock that another thread holds would stay locked in the worker.
MUST 3: the first worker starts alone; what is wrong with key, store or configuration stops the start there.
MUST 4: a worker that ended is replaced, ever more slowly, with the configuration that was taken last; the
        others go on meanwhile.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import traceback
from typing import TYPE_CHECKING

from nightlatch.app.notify import Notifier
from nightlatch.app.signals import Signals
from nightlatch.app.slot import Slot
from nightlatch.app.worker import WorkerLink, packed
from nightlatch.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    import structlog

    from nightlatch.config import Config
    from nightlatch.ports import Clock

    Work = Callable[[Config, WorkerLink], int]
    """What a worker process does; its exit code."""

TICK = 0.5
STOP_SECONDS = 15.0
"""From SIGTERM until those workers that are left are killed; they have 10 seconds to finish."""
RELOAD_SECONDS = 30.0
ASLEEP = 5.0
"""A turn that took longer: the whole machine stood still, and silence says nothing."""
EXIT_FAILED = 70
_THREADS = (
    "daemon.workers: a plugin has started a thread while it was imported; with threads a process can not be "
    "divided. Set workers = 1, or remove the plugin from plugins.enabled."
)


class Supervisor:
    """Runs the workers of one daemon."""

    def __init__(
        self,
        config: Config,
        load: Callable[[], Config],
        work: Work,
        clock: Clock,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        """`load` reads the configuration as it is then; raises ConfigError."""
        self._config = config
        self._offered = config
        self._load = load
        self._work = work
        self._clock = clock
        self._log = log
        self._notifier = Notifier(os.environ)
        self._signals = Signals()
        self._since = clock.now()
        self._slots = tuple(Slot(number) for number in range(1, config.daemon.workers + 1))
        self._selector = selectors.DefaultSelector()
        self._begun = self._serving = False
        """Whether the first worker was ready once; whether all were."""
        self._failed: int | None = None
        self._reload_until = 0.0
        self._turned = self._said_alive = clock.steady()

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, or until the first worker did not start; the exit code."""
        refuse_threads()
        with self._signals:
            self._selector.register(self._signals, selectors.EVENT_READ)
            self._start(self._slots[0])
            while self._turn():
                if self._failed is not None:
                    return self._failed
            return self._stop()

    def _turn(self) -> bool:
        """Wait for something to do, and do it; False when it is time to stop."""
        for key, _ in self._selector.select(TICK):
            if isinstance(key.data, Slot):
                self._hear(key.data)
        for number in self._signals.take():
            if number in {signal.SIGTERM, signal.SIGINT}:
                return False
            if number == signal.SIGHUP:
                self._reload()
        self._reap()
        now = self._clock.steady()
        self._look_after(now)
        self._finish_reload(now)
        self._say_alive(now)
        return True

    def _look_after(self, now: float) -> None:
        """End those that hang, and start those that are due."""
        if now - self._turned > ASLEEP:
            for slot in self._slots:
                slot.heard = now
        self._turned = now
        for slot in self._slots:
            if slot.hangs(now):
                self._log.error("worker.hangs", worker=slot.number, pid=slot.pid)
                slot.signal(signal.SIGKILL)
                slot.heard = now
            elif not slot.pid and now >= slot.due and self._begun:
                self._start(slot)

    def _start(self, slot: Slot) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with self._signals.held():
            pid = os.fork()
            if not pid:
                ours.close()
                self._be(WorkerLink(slot.number, self._since, theirs))
        theirs.close()
        slot.started(pid, ours, self._clock.now(), self._clock.steady())
        self._selector.register(ours, selectors.EVENT_READ, slot)
        self._log.info("worker.started", worker=slot.number, pid=pid, restarts=slot.restarts or None)
        self._tell()

    def _be(self, link: WorkerLink) -> None:
        """Become the worker; does not return."""
        code = EXIT_FAILED
        try:
            self._selector.close()
            for slot in self._slots:
                if slot.end is not None:
                    slot.end.close()
            self._signals.drop()
            code = self._work(self._config, link)
        except BaseException:  # noqa: BLE001, a worker never goes on as a second parent
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _hear(self, slot: Slot) -> None:
        before = slot.state
        lines = slot.hear(self._clock.steady())
        if slot.silenced and slot.end is not None:
            self._selector.unregister(slot.end)
            slot.end.close()
            slot.end = None
        if slot.takes(lines):
            self._config = self._offered
        if "READY=1" in lines and not slot.ready:
            slot.ready = self._begun = True
            if slot.behind:
                slot.behind, slot.reloading = False, True
                slot.signal(signal.SIGHUP)
            if not self._serving and all(one.ready for one in self._slots):
                self._serving = True
                self._log.info("daemon.ready", pid=os.getpid(), workers=len(self._slots))
                self._notifier.send("READY=1", f"STATUS=Serving with {len(self._slots)} workers")
        if slot.state != before:
            self._tell()

    def _reap(self) -> None:
        for slot in self._slots:
            if not slot.pid:
                continue
            pid, status = os.waitpid(slot.pid, os.WNOHANG)
            if not pid:
                continue
            code = os.waitstatus_to_exitcode(status)
            if not self._begun:
                self._failed = code if code > 0 else EXIT_FAILED
                return
            reason = f"ended with code {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"
            if slot.end is not None:
                self._selector.unregister(slot.end)
            pause = slot.ended(reason, self._clock.steady())
            self._log.error("worker.ended", worker=slot.number, pid=pid, reason=reason, next_seconds=pause)
            self._tell()

    def _tell(self) -> None:
        message = packed(slot.state for slot in self._slots)
        for slot in self._slots:
            slot.tell(message)

    def _reload(self) -> None:
        """Let the workers read the configuration again, unless it is plainly wrong."""
        self._notifier.send("RELOADING=1", f"MONOTONIC_USEC={int(self._clock.steady() * 1e6)}")
        self._reload_until = self._clock.steady() + RELOAD_SECONDS
        try:
            self._offered = self._load()
        except ConfigError as error:
            self._log.error("config.refused", problems=error.lines(), kept="the running configuration")
            return
        for slot in self._slots:
            if slot.ready:
                slot.reloading = True
                slot.signal(signal.SIGHUP)
            else:
                slot.behind = True

    def _finish_reload(self, now: float) -> None:
        if self._reload_until and (now > self._reload_until or not any(one.reloading for one in self._slots)):
            self._reload_until = 0.0
            self._notifier.send("READY=1")

    def _say_alive(self, now: float) -> None:
        seconds = self._notifier.watchdog_seconds
        if seconds and now - self._said_alive >= seconds / 3:
            self._said_alive = now
            self._notifier.send("WATCHDOG=1")

    def _stop(self) -> int:
        """Let every worker finish; kill those that do not."""
        self._log.info("daemon.stopping", workers=sum(bool(slot.pid) for slot in self._slots))
        self._notifier.send("STOPPING=1")
        for slot in self._slots:
            slot.signal(signal.SIGTERM)
        killing_at = self._clock.steady() + STOP_SECONDS
        while left := [slot for slot in self._slots if slot.pid]:
            self._selector.select(TICK)
            self._signals.take()
            for slot in left:
                slot.hear(self._clock.steady())
                if os.waitpid(slot.pid, os.WNOHANG)[0]:
                    slot.pid = 0
                    if slot.end is not None:
                        self._selector.unregister(slot.end)
                elif self._clock.steady() > killing_at:
                    slot.signal(signal.SIGKILL)
        self._log.info("daemon.stopped")
        return 0


def refuse_threads() -> None:
    """Raise ConfigError where something has started a thread in this process (MUST 2)."""
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208, one call, no objects
        raise ConfigError((_THREADS,))
