"""A private OpenSSH server: its own PAM service, users and /run, in a mount namespace of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from testbed.ports import free_port
from testbed.process import Child, wait_until

if TYPE_CHECKING:
    from pathlib import Path

SERVICE = "sshd-nightlatch"
_OTHER = "".join(f"{kind} required pam_deny.so\n" for kind in ("auth", "account", "password", "session"))
_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/hostkey
PidFile none
UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication yes
PermitRootLogin no
StrictModes no
AuthorizedKeysFile {folder}/keys/%u
ExposeAuthInfo yes
UseDNS no
PrintMotd no
PrintLastLog no
MaxStartups 200
LogLevel VERBOSE
Match User {key_users}
  AuthenticationMethods publickey,keyboard-interactive:pam
"""
_RUN = """#!/bin/sh
# Private users, PAM services and /run: this machine's own files stay as they are.
exec unshare -m --propagation private sh -c '
set -e
mount --bind {folder}/passwd /etc/passwd
mount --bind {folder}/group /etc/group
mount --bind {folder}/shadow /etc/shadow
mount --bind {folder}/pam.d /etc/pam.d
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/sshd
exec {folder}/{service} -D -e -f {folder}/sshd_config'
"""


@dataclass(frozen=True, slots=True)
class SshUser:
    """A user that exists on the private server alone."""

    name: str
    uid: int
    needs_key: bool = False
    """Whether a public key has to come before the second factor."""


class Sshd:
    """The server. `key` is a private key that every user has authorized."""

    def __init__(self, folder: Path, users: tuple[SshUser, ...], auth: str) -> None:
        """`auth` is the service's auth part, such as ``auth required /path/pam_nightlatch.so``."""
        self.folder = folder
        self.port = free_port()
        self.key = folder / "id"
        self._child: Child | None = None
        self._write(users, auth)

    @property
    def log(self) -> str:
        """What the server has logged."""
        return (self.folder / "sshd.log").read_text(errors="replace")

    @property
    def pid(self) -> int:
        """The server's pid."""
        assert self._child is not None
        return self._child.pid

    def start(self) -> None:
        """Start, and wait until the server greets."""
        self._child = Child(["sh", self.folder / "run.sh"], self.folder / "sshd.log")
        wait_until(self._greets, "sshd", self._child)

    def stop(self) -> None:
        """End the server."""
        if self._child is not None:
            self._child.stop()

    def _greets(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                return probe.recv(4) == b"SSH-"
        except OSError:
            return False

    def _write(self, users: tuple[SshUser, ...], auth: str) -> None:
        folder = self.folder
        (folder / "pam.d").mkdir(parents=True)
        (folder / "keys").mkdir()
        (folder / SERVICE).symlink_to(shutil.which("sshd", path="/usr/sbin:/usr/local/sbin") or "sshd")
        for name in ("hostkey", "id"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        rest = "account required pam_permit.so\nsession required pam_permit.so\n"
        (folder / "pam.d" / SERVICE).write_text(f"{auth}\n{rest}")
        (folder / "pam.d" / "other").write_text(_OTHER)
        key_users = ",".join(user.name for user in users if user.needs_key) or "nobody-at-all"
        (folder / "sshd_config").write_text(
            _CONFIG.format(port=self.port, folder=folder, key_users=key_users)
        )
        (folder / "run.sh").write_text(_RUN.format(folder=folder, service=SERVICE))
        self._write_users(users)

    def _write_users(self, users: tuple[SshUser, ...]) -> None:
        lines: dict[str, list[str]] = {"passwd": [], "group": [], "shadow": []}
        for user in users:
            home = self.folder / "home" / user.name
            home.mkdir(parents=True)
            shutil.chown(home, user.uid, user.uid)
            lines["passwd"].append(f"{user.name}:x:{user.uid}:{user.uid}:{user.name}:{home}:/bin/sh")
            lines["group"].append(f"{user.name}:x:{user.uid}:")
            lines["shadow"].append(f"{user.name}:*:19000:0:99999:7:::")
            shutil.copy(self.key.with_suffix(".pub"), self.folder / "keys" / user.name)
        for name, added in lines.items():
            target = self.folder / name
            target.touch(mode=0o600 if name == "shadow" else 0o644)
            with open(f"/etc/{name}", encoding="utf-8") as own:  # noqa: PTH123, one of three files of /etc
                target.write_text(own.read() + "\n".join(added) + "\n")
