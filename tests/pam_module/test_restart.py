"""A daemon that restarts: what is sent again, and what never is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1 import login_pb2
from pam_module.raw_server import (
    CLOSE,
    GOAWAY,
    RIGHT,
    RST_STREAM,
    Part,
    RawServer,
    frame,
    headers,
    message,
    trailers,
)
from pam_module.scripted_daemon import ScriptedDaemon, outcome, prompt
from testbed.pam_client import Heard, PamCode, Style

if TYPE_CHECKING:
    from pam_module.host import Host

OUTAGE = "Sign-in is not possible at the moment. Nothing is wrong with your password."
ASK = login_pb2.BeginLoginResponse(step=prompt()).SerializeToString()
ASKED: tuple[Part, ...] = (headers(), message(ASK), trailers(), CLOSE)
REFUSED_STREAM = frame(RST_STREAM, 0, b"\0\0\0\x07")
GOING_AWAY = frame(GOAWAY, 0, b"\0\0\0\0" + b"\0\0\0\0", 0)
NOT_PROCESSED = [(CLOSE,), (REFUSED_STREAM, CLOSE), (GOING_AWAY, CLOSE)]
WHAT = ["hangs-up-at-once", "refused-stream", "goaway"]


async def test_connect_is_tried_again(host: Host) -> None:
    """A daemon that is not there yet is waited for: its restart is not noticed."""
    login = asyncio.create_task(host.login())
    await asyncio.sleep(0.5)
    async with ScriptedDaemon(host.socket, outcome()):
        assert (await login).rc == PamCode.SUCCESS


async def test_stale_socket(host: Host) -> None:
    """A socket that nobody listens on any more is waited for as well."""
    with RawServer(host.socket, RIGHT):
        pass
    login = asyncio.create_task(host.login())
    await asyncio.sleep(0.3)
    host.socket.unlink()
    with RawServer(host.socket, RIGHT):
        assert (await login).rc == PamCode.SUCCESS


@pytest.mark.parametrize("script", NOT_PROCESSED, ids=WHAT)
async def test_begin_is_sent_again(host: Host, script: tuple[Part, ...]) -> None:
    """BeginLogin, which was not processed, is sent again until there is an answer."""
    with RawServer(host.socket, script, script, RIGHT) as server:
        assert (await host.login()).rc == PamCode.SUCCESS
    assert server.connections == 3


async def test_begin_is_sent_again_after_a_lost_connection(host: Host) -> None:
    """BeginLogin changes nothing, so it is sent again although the daemon may have seen it."""
    with RawServer(host.socket, (0.0, CLOSE), RIGHT) as server:
        assert (await host.login()).rc == PamCode.SUCCESS
    assert server.requests == 2


@pytest.mark.parametrize("script", NOT_PROCESSED, ids=WHAT)
async def test_answer_is_sent_again_when_surely_unprocessed(host: Host, script: tuple[Part, ...]) -> None:
    """AnswerLogin is sent again where it never left us, or HTTP/2 guarantees that it was not seen."""
    with RawServer(host.socket, ASKED, script, script, RIGHT) as server:
        assert (await host.login("123456")).rc == PamCode.SUCCESS
    assert server.connections == 4


async def test_answer_is_never_sent_twice(host: Host) -> None:
    """A code that may have been spent is not sent again: the connection is lost, and so is the login.

    FLT-01: the person reads that it is an outage, and not nothing, which would look like a wrong code.
    """
    with RawServer(host.socket, ASKED, (0.0, CLOSE), RIGHT) as server:
        result = await host.login("123456")
    assert result.rc == PamCode.AUTHINFO_UNAVAIL
    assert result.messages[-1] == Heard(Style.ERROR_MSG, OUTAGE)
    assert server.requests == 2
    assert any("not sent again" in line for line in result.log)


async def test_answer_waits_for_the_daemon_before_it_leaves(host: Host) -> None:
    """AnswerLogin leaves only after the server's SETTINGS: from a mute listener the code is kept."""
    with RawServer(host.socket, ASKED, (), greetings=1) as server:
        assert (await host.login("123456", options="timeout=1")).rc == PamCode.AUTHINFO_UNAVAIL
    assert server.requests == 1
