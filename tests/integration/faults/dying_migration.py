"""A process that brings a database up to date again and again, and is struck in the middle.

Argument: the store's URL. In: a line "NUMBER SIGNAL" for each start, such as "3 SIGKILL": the statement that
the signal comes before. Those that only read do not count, the commit does. Out: the pid, then "struck" or
"finished".
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
import time

from sqlalchemy import event
from sqlalchemy.engine import Engine

import nightlatch.store.migrate  # noqa: F401, imported once, before there are children
from nightlatch.keys import KEY_BYTES, MasterKey
from nightlatch.store import open_store

READS = ("select", "pragma", "show")


class StandingClock:
    """A wall clock that stands; a steady one that goes. The test bed's imports take too long."""

    def now(self) -> float:
        """Always the same."""
        return 1_800_000_000.0

    def steady(self) -> float:
        """The real steady clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)


class SystemRandomness:
    """The system's randomness."""

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""
        return os.urandom(count)


def migrate(url: str, number: int, struck_by: signal.Signals) -> None:
    """Open the store as a starting daemon does, and be struck before that statement."""
    statements = itertools.count(1)

    def count(*_: object) -> None:
        if next(statements) == number:
            os.kill(os.getpid(), struck_by)

    def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.lstrip().lower().startswith(READS):
            count()

    event.listen(Engine, "before_cursor_execute", look)
    event.listen(Engine, "commit", count)
    store = open_store(url, MasterKey(b"k" * KEY_BYTES), StandingClock(), SystemRandomness())
    asyncio.run(store.close())


def main(url: str) -> None:
    """Start as often as one is told to."""
    for line in sys.stdin:
        number, name = line.split()
        pid = os.fork()
        if not pid:
            try:
                migrate(url, int(number), signal.Signals[name])
            finally:
                os._exit(0)
        _tell(str(pid))
        _, status = os.waitpid(pid, os.WUNTRACED)
        _tell("finished" if os.WIFEXITED(status) else "struck")


def _tell(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
