"""Whom the module talks to: nothing is sent to a socket or a listener that is not the daemon's."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pam_module.raw_server import RIGHT, RawServer
from testbed.pam_client import PamCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pam_module.host import Host

STRANGER = 12345
LISTENER = """
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
os.chown(sys.argv[1], 0, 0)
os.setresuid(*[int(sys.argv[2])] * 3)
listener.listen()
print("ready", flush=True)
listener.accept()[0].recv(100) and print("GOT BYTES", flush=True)
"""


async def expect_distrust(host: Host, options: str = "") -> None:
    """A login ends at once, denied, and the log says what is wrong."""
    result = await host.login(options=f"timeout=20 {options}")
    assert result.rc == PamCode.AUTHINFO_UNAVAIL
    assert result.seconds[0] < 5
    assert any("is not trusted" in line for line in result.log)


async def test_owner_of_the_socket(host: Host) -> None:
    """A socket that belongs to a stranger is not connected to; server_uid names one that may own it."""
    with RawServer(host.socket, RIGHT) as server:
        os.chown(host.socket, STRANGER, -1)
        await expect_distrust(host)
        await expect_distrust(host, f"server_uid={STRANGER + 1}")
        assert server.connections == 0
        assert (await host.login(options=f"server_uid={STRANGER}")).rc == PamCode.SUCCESS


async def test_owner_of_the_directory(host: Host) -> None:
    """The socket's directory must belong to root or server_uid as well."""
    with RawServer(host.socket, RIGHT) as server:
        os.chown(host.socket.parent, STRANGER, -1)
        await expect_distrust(host)
        assert server.connections == 0
        assert (await host.login(options=f"server_uid={STRANGER}")).rc == PamCode.SUCCESS


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757, 0o1777])
async def test_mode_of_the_directory(host: Host, mode: int) -> None:
    """A directory that others may write to, sticky or not, is not trusted."""
    with RawServer(host.socket, RIGHT):
        host.socket.parent.chmod(mode)
        await expect_distrust(host)


@pytest.mark.parametrize("mode", [0o600, 0o666, 0o777])
async def test_mode_of_the_socket(host: Host, mode: int) -> None:
    """Who may connect is the daemon's to say: the socket's own mode does not matter."""
    with RawServer(host.socket, RIGHT):
        host.socket.chmod(mode)
        assert (await host.login()).rc == PamCode.SUCCESS


async def test_symbolic_links(host: Host, tmp_path: Path) -> None:
    """PRV-05: neither the socket nor its directory may be a symbolic link."""
    real = tmp_path / "real"
    real.mkdir(mode=0o755)
    with RawServer(real / "pam.sock", RIGHT) as server:
        host.socket.symlink_to(real / "pam.sock")
        await expect_distrust(host)
        host.socket.unlink()
        host.socket.parent.rmdir()
        host.socket.parent.symlink_to(real)
        await expect_distrust(host)
        assert server.connections == 0


async def test_not_a_socket(host: Host) -> None:
    """A plain file in the socket's place is not trusted."""
    host.socket.touch(mode=0o600)
    await expect_distrust(host)


@contextmanager
def foreign_listener(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A listener whose kernel credentials are a stranger's, on a socket file that belongs to root."""
    argv = [sys.executable, "-c", LISTENER, str(path), str(STRANGER)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        assert listener.stdout.readline() == "ready\n"
        yield listener
        listener.kill()


async def test_peer_of_the_connection(host: Host) -> None:
    """A listener that is neither root nor server_uid gets not one byte, whoever owns the file."""
    with foreign_listener(host.socket) as listener:
        await expect_distrust(host)
        listener.wait(20)
        assert listener.stdout is not None
        assert listener.stdout.read() == ""


async def test_socket_that_root_listened_on(host: Host) -> None:
    """A listener made by root, as systemd makes them, is trusted; stopped, it costs the time-out only."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(host.socket))
        listener.listen()
        result = await host.login(options="timeout=1")
    assert result.rc == PamCode.AUTHINFO_UNAVAIL
    assert result.seconds[0] < 5
    assert any("no answer in time" in line for line in result.log)
