"""The first LDAP server is in a black hole: people notice once, for the time of one connection at most."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from nightlatch.v1 import login_pb2
from testbed import hostile
from testbed.daemon import Nightlatchd
from testbed.front_door import Person, directory_table, enroll
from testbed.process import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import grpc

    from testbed.slapd import Slapd

CONNECT = 3.0
SLACK = 4.0
"""For the rest of a login, on a machine that does other things."""
AT_ONCE = ("alice", "bob", "carol", "dave")


def _configuration(slapd: Slapd, *first: str) -> str:
    urls = ", ".join(f'"{url}"' for url in (*first, slapd.tls_url))
    table = directory_table(slapd).replace(f'["{slapd.tls_url}"]', f"[{urls}]")
    assert "connect_timeout = 2.0" in table
    return table.replace("connect_timeout = 2.0", f"connect_timeout = {CONNECT}")


def _seconds_to_the_code(channel: grpc.Channel, user: str) -> float:
    began = time.monotonic()
    step = Person(channel, user).password()
    assert step.prompt.kind == login_pb2.PROMPT_KIND_CODE, step
    return time.monotonic() - began


def _events(daemon: Nightlatchd, name: str) -> list[dict[str, object]]:
    return [event for event in daemon.events() if event["event"] == name]


def test_a_black_hole_is_waited_for_once(door_folder: Path, slapd: Slapd) -> None:
    """LDP-07: everybody who comes at once goes on after one connect limit, whoever comes then, at once."""
    daemon = Nightlatchd(door_folder / "d", _configuration(slapd))
    daemon.start()
    try:
        with hostile.black_hole() as port, daemon.channel() as channel:
            with daemon.channel(admin=True) as admin:
                apps = {user: enroll(admin, user) for user in AT_ONCE}
            hole = f"ldaps://127.0.0.1:{port}"
            daemon.write(_configuration(slapd, hole))
            daemon.signal(signal.SIGHUP)
            wait_until(lambda: bool(_events(daemon, "config.reloaded")), "the reload")
            with ThreadPoolExecutor(len(AT_ONCE)) as people:
                took = list(people.map(lambda user: _seconds_to_the_code(channel, user), AT_ONCE))
            assert max(took) < CONNECT + SLACK
            assert max(took) >= CONNECT, "nobody has met the black hole"
            assert _seconds_to_the_code(channel, "alice") < CONNECT
            outcome = Person(channel, "bob").sign_in(apps["bob"].fresh())
            assert outcome.verdict == login_pb2.VERDICT_GRANTED
        failed = _events(daemon, "directory.server_failed")
        assert {event["server"] for event in failed} == {hole}
        assert not [event for event in daemon.events() if event.get("result") == "unavailable"]
    finally:
        daemon.stop()
