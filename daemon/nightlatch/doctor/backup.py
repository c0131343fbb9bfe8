"""When the embedded store was backed up last. PostgreSQL makes its own backups, which are not looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.app.store_keeping import LAST_BACKUP
from nightlatch.doctor.finding import Finding, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightlatch.config import Config

DAYS = 7
"""After how many a backup is too old."""
_DAY = 86_400.0
_MAKE = "Make one: nightlatch store backup FILE. A timer can do it each night."


def backup(config: Config, now: float) -> Iterator[Finding]:
    """Whether there was one in the last week; `now` in Unix seconds."""
    if config.store.url != "sqlite":
        return
    try:
        age = now - (config.daemon.state_dir / LAST_BACKUP).stat().st_mtime
    except FileNotFoundError:
        yield warn("backup", "the store was never backed up", _MAKE)
    except OSError as error:
        yield warn("backup", f"it can not be looked at: {error.strerror}", "Run this as root.")
    else:
        days = int(age / _DAY)
        if days >= DAYS:
            yield warn("backup", f"the store was last backed up {days} days ago", _MAKE)
        else:
            when = "within a day" if days < 1 else "a day ago" if days == 1 else f"{days} days ago"
            yield ok("backup", f"the store was last backed up {when}")
