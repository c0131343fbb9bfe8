"""A socket that systemd made stays systemd's in the eyes of who connects, whatever user the daemon is."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING

import pytest

from testbed.daemon import Nightlatchd
from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def listener_of(path: Path) -> int:
    """The process that the kernel names as the listener: the last that called listen(2)."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        credentials = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[0])


@pytest.fixture
def daemon(door_folder: Path) -> Iterator[Nightlatchd]:
    """A daemon that is not started yet."""
    helper = door_folder / "run" / "pamcheck.sock"
    daemon = Nightlatchd(door_folder, f'[[directories]]\nname = "local"\nkind = "pam"\nsocket = "{helper}"')
    yield daemon
    if daemon.running():
        daemon.stop()


def test_the_daemon_does_not_listen_again_on_a_socket_that_it_was_given(daemon: Nightlatchd) -> None:
    """The PAM module trusts root as the listener: a listen(2) by the daemon would put its own user there."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(daemon.pam_socket))
        listening.listen(8)
        daemon.start_activated(listening, "pam", dict(os.environ))
        wait_until(
            lambda: any(event.get("event") == "daemon.ready" for event in daemon.events()), "nightlatchd"
        )
        assert listener_of(daemon.pam_socket) == os.getpid()
