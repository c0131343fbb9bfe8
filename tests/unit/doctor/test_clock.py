"""What the doctor says of the clock."""

from __future__ import annotations

import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

import pytest

from nightlatch.doctor.clock import kept, served, typed
from nightlatch.doctor.finding import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

TO_UNIX = 2_208_988_800
"""Seconds from 1900, where NTP begins, to 1970."""


class TimeServer:
    """Answers SNTP (RFC 4330) on a port of its own, with a clock that is off."""

    def __init__(self, ahead: float = 0.0, *, leap: int = 0) -> None:
        self._ahead, self._leap = ahead, leap
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.name = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            packet, peer = self._socket.recvfrom(512)
            if not packet:
                return
            now = int((time.time() + self._ahead + TO_UNIX) * 2**32)
            head = struct.pack(">BBBbII4s", self._leap << 6 | 4 << 3 | 4, 1, 6, -20, 0, 0, b"TEST")
            self._socket.sendto(
                head + struct.pack(">Q", now) + packet[40:48] + struct.pack(">QQ", now, now), peer
            )

    def stop(self) -> None:
        """End it."""
        host, _, port = self.name.partition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", (host, int(port)))
        self._thread.join()
        self._socket.close()


@pytest.fixture(
    params=[(0.0, 0, Level.OK), (8.0, 0, Level.WARN), (-90.0, 0, Level.FAIL), (0.0, 3, Level.WARN)]
)
def server(request: pytest.FixtureRequest) -> Iterator[tuple[TimeServer, Level]]:
    """A time server, and how bad what it says is."""
    ahead, leap, level = request.param
    made = TimeServer(ahead, leap=leap)
    yield made, level
    made.stop()


def test_a_time_server_is_asked_over_the_network(server: tuple[TimeServer, Level]) -> None:
    """The present, some seconds, more than half a step, and a server that does not know the time itself."""
    asked, level = server
    (one,) = served([asked.name])
    assert one.level is level, one.text


def test_a_time_server_that_is_away_says_nothing_of_the_clock() -> None:
    """It is told, and is no failure."""
    gone = TimeServer()
    gone.stop()
    assert [one.level for one in served([gone.name])] == [Level.WARN]


CHRONY = "C0A80001,ntp.example.com,2,1763769600.1,{},0.1,0.1,1,0,0,0.1,0.1,64.0,{}\n"


@pytest.mark.parametrize(
    ("chrony", "timedatectl", "level"),
    [
        (CHRONY.format("0.012", "Normal"), None, Level.OK),
        (CHRONY.format("-7.5", "Normal"), None, Level.WARN),
        (CHRONY.format("40.0", "Normal"), None, Level.FAIL),
        (CHRONY.format("0.0", "Not synchronised"), None, Level.WARN),
        (None, "NTP=yes\nNTPSynchronized=yes\n", Level.OK),
        (None, "NTP=yes\nNTPSynchronized=no\n", Level.WARN),
        (None, None, Level.WARN),
    ],
)
def test_what_keeps_the_clock_is_asked(chrony: str | None, timedatectl: str | None, level: Level) -> None:
    """Chrony first, then systemd; where neither is there, that is said."""
    answers = {"chronyc": chrony, "timedatectl": timedatectl}
    assert kept(lambda *command: answers[command[0]]).level is level


def said(**steps: list[int]) -> list[tuple[Level, str]]:
    """What the codes of these people say."""
    codes = [(person, step) for person, each in steps.items() for step in each]
    return [(one.level, one.text) for one in typed(codes)]


def test_when_everybody_is_off_it_is_this_host() -> None:
    """Codes from the past mean that this clock is fast, and from the future that it is slow."""
    [(level, text)] = said(alice=[-1, -1, -1], bob=[-1, 0, -1], carol=[-1, -1, -1])
    assert (level, "this host is about 30 s fast" in text) == (Level.FAIL, True)
    [(level, text)] = said(alice=[2, 2, 2], bob=[2, 2, 2], carol=[2, 2, 2])
    assert (level, "this host is about 60 s slow" in text) == (Level.FAIL, True)


def test_when_one_person_is_off_it_is_the_phone() -> None:
    """The person is named, and the host is not blamed."""
    [(level, text)] = said(alice=[-1, -1, -1], bob=[0, 0, 0], carol=[0, 0, -1])
    assert (level, "alice's phone is about 30 s slow" in text) == (Level.WARN, True)


def test_few_codes_say_nothing() -> None:
    """Somebody types slowly once; and nobody typed anything."""
    assert [level for level, _ in said(alice=[-1], bob=[0, 0])] == [Level.OK]
    assert [level for level, _ in said()] == [Level.OK]
    assert [level for level, _ in said(alice=[0, 0, -1], bob=[0, 0, 0])] == [Level.OK]
