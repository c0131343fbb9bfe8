"""The daemons of one installation, and which of them to ask: the first that answers.

Pure but for a lock: several threads ask at once.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nightlatch.client.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PASSED_OVER = 30.0
"""For how many seconds a target that did not answer is asked last."""
UNIX = "unix:"


class Targets:
    """Addresses of daemons that share a store, in order of preference."""

    def __init__(self, names: Sequence[str], steady: Callable[[], float]) -> None:
        """`steady` gives seconds that never go back; raises InvalidRequest for what is no address."""
        if not names:
            raise InvalidRequest('Name at least one daemon: Client("mfa.example.com:7443", …).')
        self.names = tuple(dict.fromkeys(map(_checked, names)))
        self._steady = steady
        self._away_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def in_order(self) -> list[str]:
        """Whom to ask first, second…: those who answer by preference, then those who did not.

        A target whose time is over is asked first again by one call; the others pass it over until that one
        knows more.
        """
        with self._lock:
            now = self._steady()
            first = [name for name in self.names if self._away_until.get(name, 0.0) <= now]
            last = sorted((self._away_until[name], name) for name in self.names if name not in first)
            for name in first:
                if name in self._away_until:
                    self._away_until[name] = now + PASSED_OVER
            return [*first, *(name for _, name in last)]

    def answered(self, name: str) -> None:
        """A target has said something."""
        with self._lock:
            self._away_until.pop(name, None)

    def silent(self, name: str) -> None:
        """A target could not be reached, or did not answer in its time."""
        with self._lock:
            self._away_until[name] = self._steady() + PASSED_OVER


def _checked(name: str) -> str:
    if name.startswith(f"{UNIX}/"):
        return name
    host, _, port = name.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    bracketed = bare != host
    if not bare or "/" in name or (":" in bare and not bracketed) or not (port.isascii() and port.isdigit()):
        raise InvalidRequest(
            f'"{name}" is no address of a daemon. Write "mfa.example.com:7443", "[2001:db8::7]:7443" or '
            '"unix:/run/…/socket".'
        )
    return name
