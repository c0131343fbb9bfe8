"""The PAM service that checks local passwords leads back to nightlatch: an outage, and no circle."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1 import login_pb2
from testbed.front_door import MODULE
from testbed.pamcheck import PLAIN
from testbed.process import wait_until
from testbed.two_directories import CORP, LOCAL, Visitor

if TYPE_CHECKING:
    from testbed.two_directories import TwoDirectories

LIMIT = 5.0
"""What a password may take to be checked, by the directory's default."""


def lead_back(both: TwoDirectories, name: str) -> None:
    """Put nightlatch's own module, under a name, in front of the check of local passwords."""
    module = both.machine.folder / name
    shutil.copy(MODULE, module)
    line = f"auth required {module} socket={both.daemon.pam_socket} timeout=20\n"
    both.machine.write_service(line + PLAIN)


def begun(both: TwoDirectories) -> int:
    """How many logins were begun."""
    return sum(event.get("method") == "LoginService/BeginLogin" for event in both.daemon.events())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("pam_nightlatch.so", "it contains pam_nightlatch, which would ask the daemon again"),
        ("pam_mfa.so", "login.circle"),
    ],
)
def test_a_login_that_leads_back_to_nightlatch_ends(both: TwoDirectories, name: str, told: str) -> None:
    """FLT-02: whatever the module is called: unavailable in time, with the reason; nobody is charged."""
    lead_back(both, name)
    earlier = begun(both)
    with both.daemon.channel() as channel:
        before = time.monotonic()
        for _ in range(6):  # one more than wrong passwords would be free
            step = Visitor(channel, "alice", LOCAL["alice"]).come()
            assert step.outcome.verdict == login_pb2.VERDICT_UNAVAILABLE
        assert time.monotonic() - before < 2 * LIMIT
        wait_until(lambda: told in both.helper.log() + both.daemon.log.read_text(), "the reason")
        assert begun(both) - earlier <= 2 * 6
        dave = Visitor(channel, "dave", CORP["dave"]).come()
        assert "none is set up yet" in dave.outcome.message
        both.machine.write_service(PLAIN)
        alice = Visitor(channel, "alice", LOCAL["alice"]).come()
        assert "none is set up yet" in alice.outcome.message
