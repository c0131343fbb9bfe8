"""`nightlatch-pamcheck` in a mount namespace with users, passwords and PAM services that exist only there."""

from __future__ import annotations

import functools
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from testbed.process import Child, freeze, wait_until

PLAIN = "auth required pam_unix.so nodelay\naccount required pam_unix.so\n"
"""The PAM service as it is shipped."""

_DENY = "".join(f"{kind} required pam_deny.so\n" for kind in ("auth", "account", "password", "session"))
_FIRST_UID = 21001

_ENTER = """
mount --bind "$D/passwd" /etc/passwd; mount --bind "$D/group" /etc/group
mount --bind "$D/shadow" /etc/shadow; mount --bind "$D/pam.d" /etc/pam.d
exec "$@"
"""


class PrivateUsers:
    """The files of a private machine (passwd, group, shadow, pam.d), and how to run something in it."""

    def __init__(self, folder: Path, users: dict[str, str], service: str = PLAIN) -> None:
        self.folder = folder
        self.services = folder / "pam.d"
        self.services.mkdir(parents=True)
        (self.services / "other").write_text(_DENY)
        self.write_service(service)
        self._users = users
        self._days = dict.fromkeys(users, "20000:0:99999:7:::")
        self._groups: list[str] = []
        self.write()

    def write_service(self, text: str, name: str = "nightlatch-primary") -> None:
        """Replace a PAM service; read anew at the next conversation."""
        (self.services / name).write_text(text)

    def write_script(self, name: str, text: str) -> Path:
        """A shell script for pam_exec."""
        script = self.folder / name
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
        return script

    def age(self, user: str, fields: str) -> None:
        """Set what follows the hash in shadow(5): 0:0:99999:7::: must change, 20000:0:99999:7::1: is over."""
        self._days[user] = fields
        self.write()

    def add_group(self, name: str, gid: int, *members: str) -> None:
        """Add a group beside those that everybody has alone, or replace it."""
        others = [line for line in self._groups if not line.startswith(f"{name}:")]
        self._groups = [*others, f"{name}:x:{gid}:{','.join(members)}"]
        self.write()

    def remove(self, user: str) -> None:
        """Remove a user."""
        del self._users[user], self._days[user]
        self.write()

    def add(self, user: str, password: str) -> None:
        """Add a user."""
        self._users[user], self._days[user] = password, "20000:0:99999:7:::"
        self.write()

    def set_password(self, user: str, password: str) -> None:
        """Give a user another password."""
        self._users[user] = password
        self.write()

    def write(self) -> None:
        """Write the user database. In place, since it may be bind-mounted already."""
        names = list(self._users)
        passwd = ["root:x:0:0:root:/root:/bin/sh", "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin"]
        passwd += [
            f"{name}:x:{_FIRST_UID + at}:{_FIRST_UID + at}::/:/bin/sh" for at, name in enumerate(names)
        ]
        group = ["root:x:0:", "shadow:x:42:", "nogroup:x:65534:"]
        group += [f"{name}:x:{_FIRST_UID + at}:" for at, name in enumerate(names)]
        group += self._groups
        shadow = ["root:*:20000:0:99999:7:::"]
        shadow += [f"{name}:{crypt(self._users[name])}:{self._days[name]}" for name in names]
        for file, lines in (("passwd", passwd), ("group", group), ("shadow", shadow)):
            (self.folder / file).write_text("".join(f"{line}\n" for line in lines))
        (self.folder / "shadow").chmod(0o600)

    def command(self, *argv: str | Path) -> list[str]:
        """`argv` inside the private machine; the pid stays the same."""
        return ["unshare", "-m", "--propagation", "private", "sh", "-ec", _ENTER, "x", *map(str, argv)]

    @property
    def environment(self) -> dict[str, str]:
        """What `command` needs in its environment."""
        return {**os.environ, "D": str(self.folder)}


class PamCheckProcess:
    """The helper, between `start` and `stop`."""

    def __init__(self, users: PrivateUsers, allow_uid: int = 0) -> None:
        self.users = users
        self.socket = users.folder / "pamcheck.sock"
        self._allow_uid = allow_uid
        self._child: Child | None = None

    def start(self) -> None:
        """Start, and wait until it listens."""
        self._child = self.launch()
        wait_until(self.listens, "nightlatch-pamcheck", self._child)

    def launch(self, *, entry: bool = False, environment: dict[str, str] | None = None) -> Child:
        """Start without waiting. With `entry` by the installed command, else isolated from the first line."""
        command = Path(sys.executable).with_name("nightlatch-pamcheck")
        start = [command] if entry else [sys.executable, "-I", "-m", "nightlatch.directories.pamcheck_server"]
        return Child(
            self.users.command(*start, "--socket", self.socket, "--allow-uid", str(self._allow_uid)),
            self.users.folder / "pamcheck.log",
            env={**self.users.environment, **(environment or {})},
        )

    def launch_with(self, listener: socket.socket) -> Child:
        """Start as systemd does: a listening socket as descriptor 3, no capabilities, no new privileges."""
        passing = 'exec 3<&"$L"; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"'
        command = Path(sys.executable).with_name("nightlatch-pamcheck")
        return Child(
            self.users.command(
                *("setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"),
                *("bash", "-c", passing, "x", command, "--allow-uid", str(self._allow_uid)),
            ),
            self.users.folder / "pamcheck.log",
            env={**self.users.environment, "L": str(listener.fileno())},
            pass_fds=(listener.fileno(),),
        )

    def listens(self) -> bool:
        """Whether somebody listens at the socket."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    @property
    def pid(self) -> int:
        """The helper's pid."""
        if self._child is None:
            message = "nightlatch-pamcheck does not run"
            raise AssertionError(message)
        return self._child.pid

    def stop(self) -> None:
        """Stop it."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def kill(self) -> None:
        """End it without a chance to clean up."""
        if self._child is not None:
            self._child.signal(signal.SIGKILL)
            self._child.wait()
            self._child = None

    def hang(self) -> None:
        """Stop its work without closing anything (SIGSTOP)."""
        freeze(self.pid)

    def go_on(self) -> None:
        """Let it work again after `hang`."""
        os.kill(self.pid, signal.SIGCONT)

    def proc(self, name: str) -> bytes:
        """A file of /proc/PID of the helper."""
        return Path(f"/proc/{self.pid}/{name}").read_bytes()

    def log(self) -> str:
        """What it has logged so far."""
        return (self.users.folder / "pamcheck.log").read_text(errors="replace")


@functools.cache
def crypt(password: str) -> str:
    """A hash for shadow(5), SHA-256: quick, so that 64 checks at once do not measure the processor."""
    made = subprocess.run(
        ["openssl", "passwd", "-5", "-stdin"], input=password, capture_output=True, text=True, check=True
    )
    return made.stdout.strip()
