"""Who stands in /etc/passwd: known without asking NSS, whose modules may block, and so without a thread.

MUST 1: it answers only where NSS would answer from that file: nsswitch.conf asks `files` first, without an
        action of its own, and the line is a whole one (nsswitch.conf(5), passwd(5)).
MUST 2: what it answers is what the file says now; who is not in it is for NSS to know.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_FILES_FIRST = re.compile(rb"^[ \t]*passwd[ \t]*:[ \t]*files(?![ \t]*\[)[ \t\n]", re.MULTILINE)
_PASSWD_LINES = re.compile(rb"^[ \t]*passwd[ \t]*:", re.MULTILINE)
_WHOLE_LINE = re.compile(
    rb"^([^:+#\-\s][^:\n]*):[^:\n]*:[0-9]+:[0-9]+:[^:\n]*:[^:\n]*:[^:\n]*$", re.MULTILINE
)
_LARGEST = 1 << 20
"""Bytes of a file that is read between two logins."""
_SETTLED_NS = 2_000_000_000
"""How old a change must be to be told from the next one: clocks of file systems tick some ms apart."""

_Seen = tuple[int, int, int]


class LocalUsers:
    """The names in a file of users. Used by one thread."""

    def __init__(
        self,
        users: Path = Path("/etc/passwd"),
        switch: Path = Path("/etc/nsswitch.conf"),
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._users, self._switch, self._now_ns = str(users), str(switch), now_ns
        self._seen: tuple[_Seen, _Seen] | None = None
        self._names: frozenset[bytes] = frozenset()

    def has(self, name: str) -> bool:
        """Whether the file has exactly this name. False says nothing: NSS has to be asked."""
        try:
            switch, users = os.stat(self._switch), os.stat(self._users)  # noqa: PTH116  # on the path of every login
            seen = (_identity(switch), _identity(users))
            if seen != self._seen:
                self._seen, self._names = None, self._read(users.st_size)
                if self._now_ns() - max(switch.st_mtime_ns, users.st_mtime_ns) > _SETTLED_NS:
                    self._seen = seen
        except OSError:
            self._seen, self._names = None, frozenset()
        return name.encode() in self._names

    def _read(self, size: int) -> frozenset[bytes]:
        switch = Path(self._switch).read_bytes()
        first = len(_PASSWD_LINES.findall(switch)) == 1 and _FILES_FIRST.search(switch)
        if size > _LARGEST or not first:
            return frozenset()
        return frozenset(_WHOLE_LINE.findall(Path(self._users).read_bytes()))


def _identity(status: os.stat_result) -> _Seen:
    return status.st_ino, status.st_size, status.st_mtime_ns
