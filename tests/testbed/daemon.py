"""A real nightlatchd with a configuration of its own, in a folder short enough for its sockets."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from testbed.process import Child, wait_until
from testbed.quick_command import run_command

if TYPE_CHECKING:
    import socket
    import subprocess
    from collections.abc import Iterator

    from testbed.pamcheck import PrivateUsers

BIN = Path(sys.executable).parent


class Nightlatchd:
    """The daemon's process, its configuration and its command line."""

    def __init__(self, folder: Path, directories: str, *, extra: str = "", level: str = "info") -> None:
        """`directories` and `extra` are TOML, put behind the daemon's own tables."""
        self.folder = folder
        self.config = folder / "nightlatch.toml"
        self.pam_socket = folder / "run" / "pam.sock"
        self.admin_socket = folder / "run" / "admin.sock"
        self.log = folder / "nightlatchd.log"
        (folder / "run").mkdir(parents=True, exist_ok=True)
        self.machine: PrivateUsers | None = None
        """The private machine to run on; None for this one."""
        self._child: Child | None = None
        self.write(directories, extra=extra, level=level)

    def write(self, directories: str, *, extra: str = "", level: str = "info") -> None:
        """Write the configuration anew."""
        self.config.write_text(
            f"""
[daemon]
state_dir = "{self.folder}/state"
runtime_dir = "{self.folder}/inner"
[listeners.pam]
socket = "{self.pam_socket}"
[listeners.admin]
socket = "{self.admin_socket}"
[log]
format = "json"
level = "{level}"
[plugins]
enabled = ["totp"]
{directories}
{extra}
"""
        )
        self.config.chmod(0o600)

    @property
    def pid(self) -> int:
        """The daemon's pid."""
        assert self._child is not None
        return self._child.pid

    def start(self, *, ready: bool = True) -> None:
        """Start; with `ready`, wait until it serves."""
        seen = self._ready_events()
        command: list[str | Path] = [BIN / "nightlatchd", "serve", "--config", self.config]
        environment = None
        if self.machine is not None:
            command, environment = [*self.machine.command(*command)], self.machine.environment
        self._child = Child(command, self.log, environment)
        if ready:
            wait_until(lambda: self._ready_events() > seen, "nightlatchd", self._child)

    def _ready_events(self) -> int:
        return len([event for event in self.events() if event.get("event") == "daemon.ready"])

    def start_activated(self, listening: socket.socket, name: str, environment: dict[str, str]) -> None:
        """Start as systemd does, with a listening socket passed under a name (sd_listen_fds(3))."""
        exported = f"export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES={name}"
        passing = f'{exported}; exec "$0" "$@" 3<&{listening.fileno()}'
        self._child = Child(
            ["bash", "-c", passing, BIN / "nightlatchd", "serve", "--config", self.config],
            self.log,
            environment,
            pass_fds=(listening.fileno(),),
        )

    def running(self) -> bool:
        """Whether it runs."""
        return self._child is not None and self._child.running()

    def stop(self) -> int:
        """End it with SIGTERM; its exit code."""
        assert self._child is not None
        return self._child.stop()

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.signal(signal.SIGKILL)
        assert self._child is not None
        self._child.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._child is not None
        self._child.signal(number)

    def wait(self) -> int:
        """Wait until it ended by itself; its exit code."""
        assert self._child is not None
        return self._child.wait()

    def events(self) -> Iterator[dict[str, Any]]:
        """The events it has logged."""
        if not self.log.exists():
            return
        for line in self.log.read_text(errors="replace").splitlines():
            if line.startswith("{"):
                yield json.loads(line)

    def channel(self, *, admin: bool = False) -> grpc.Channel:
        """A blocking channel to one of its sockets."""
        return grpc.insecure_channel(f"unix:{self.admin_socket if admin else self.pam_socket}")

    def command(self, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        """Run `nightlatch` on its admin socket."""
        return run_command([BIN / "nightlatch", *arguments, "--socket", self.admin_socket], answer)
