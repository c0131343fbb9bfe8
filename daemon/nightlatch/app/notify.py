"""Tells systemd how the daemon is (sd_notify(3)): one datagram a message, nothing without systemd."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Superior(Protocol):
    """Whoever has started this process, and wants to hear how it is."""

    @property
    def watchdog_seconds(self) -> float:
        """How often it wants to hear from the daemon; 0 for never."""

    def send(self, *lines: str) -> None:
        """Tell it something; never raises."""


class Notifier:
    """Sends READY, STATUS, WATCHDOG and the like to the service manager, if there is one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        watchdog = environment.get("WATCHDOG_USEC", "")
        self.watchdog_seconds = int(watchdog) / 1e6 if watchdog.isdigit() else 0.0
        """How often systemd wants to hear from the daemon; 0 for never."""

    def send(self, *lines: str) -> None:
        """Send a message; a manager that does not listen is no reason to stop."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.settimeout(1)
            end.sendto("\n".join(lines).encode(), address)
