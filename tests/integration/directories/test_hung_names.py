"""A daemon whose user database is in trouble: a source such as sssd or winbind is away, or hangs for ever."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1 import login_pb2
from testbed.daemon import Nightlatchd
from testbed.front_door import Person, enroll
from testbed.pamcheck import PrivateUsers
from testbed.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parents[2] / "testbed" / "nss_source.c"
LOCAL = """
[[directories]]
name = "local"
kind = "pam"
timeout = 0.5
max_lookups = 2
socket = "/nonexistent/pamcheck.sock"
"""
OPS = """
[[policies]]
name = "watched"
second_factor = "observe"
[[policies]]
name = "operators"
match = { groups = ["ops"] }
"""
_MOUNT = 'mount --bind "$D/nsswitch.conf" /etc/nsswitch.conf; exec "$@"'


class Troubled(PrivateUsers):
    """A machine on which who is not in the files is asked of a source that "hangs", or is "away"."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._kind = kind
        super().__init__(folder, {"alice": "Pw-alice-x"})
        (folder / "nsswitch.conf").write_text("passwd: files trouble\ngroup: files trouble\n")
        library = folder / "libnss_trouble.so.2"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, SOURCE], check=True)

    def command(self, *argv: str | Path) -> list[str]:
        """`argv` inside."""
        return super().command("sh", "-ec", _MOUNT, "x", *argv)

    @property
    def environment(self) -> dict[str, str]:
        """What `command` needs in its environment."""
        return {**super().environment, "LD_LIBRARY_PATH": str(self.folder), "NSS_SOURCE": self._kind}


@pytest.fixture(params=["hangs"])
def daemon(door_folder: Path, request: pytest.FixtureRequest) -> Iterator[Nightlatchd]:
    """A daemon on such a machine, where the group ops needs a second factor and nobody else does yet."""
    made = Nightlatchd(door_folder / "d", LOCAL + OPS)
    made.machine = Troubled(door_folder / "machine", request.param)
    made.start()
    yield made
    if made.running():
        made.kill()


def _count(daemon: Nightlatchd, name: str) -> int:
    return sum(event["event"] == name for event in daemon.events())


def test_a_hung_user_database_is_an_outage_and_no_more(daemon: Nightlatchd) -> None:
    """PPW-04: logins are unavailable in time, a reload works and brings new threads, and the daemon ends."""
    with daemon.channel() as channel:
        for _ in range(3):  # more than there are threads
            began = time.monotonic()
            assert Person(channel, "zoe").password("x").outcome.verdict == login_pb2.VERDICT_UNAVAILABLE
            assert time.monotonic() - began < 10
        assert Person(channel, "alice").password("x").outcome.verdict == login_pb2.VERDICT_UNAVAILABLE
        daemon.signal(signal.SIGHUP)
        wait_until(lambda: _count(daemon, "config.reloaded") == 1, "the reload")
        step = Person(channel, "alice").password("x")
        assert "no answer in" not in _last_reason(daemon), step
    began = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("daemon", ["away", "hangs"], indirect=True)
def test_groups_that_can_not_be_known(daemon: Nightlatchd) -> None:
    """Where a part of a person's groups can not be read, the rule for a group asks for a code."""
    with daemon.channel(admin=True) as channel:
        enroll(channel, "alice")
    with daemon.channel() as channel:
        step = Person(channel, "alice").begin(login_pb2.PRIMARY_ESTABLISHED)
    assert step.prompt.kind == login_pb2.PROMPT_KIND_CODE, step
    wait_until(lambda: _count(daemon, "policy.groups_unknown") > 0, "the word of it in the log")


def _last_reason(daemon: Nightlatchd) -> str:
    reasons = [str(event["reason"]) for event in daemon.events() if event["event"] == "login.ended"]
    return reasons[-1]
