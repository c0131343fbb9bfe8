"""What counts as an answer: a whole, right gRPC stream, and nothing else."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from nightlatch.v1 import login_pb2
from pam_module.raw_server import (
    CLOSE,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    GRANT,
    HEADERS,
    HELLO,
    OK,
    PING,
    RIGHT,
    RST_STREAM,
    Part,
    RawServer,
    every_cut,
    frame,
    granted,
    headers,
    in_pieces,
    message,
    trailers,
)
from testbed.pam_client import PamCode

if TYPE_CHECKING:
    from pam_module.host import Host

RUBBISH = random.Random(7).randbytes(4096)  # noqa: S311, the same in each run
WHOLE = b"".join(part for part in RIGHT if isinstance(part, bytes))
TWO = login_pb2.AnswerLoginResponse(step=login_pb2.Step(ticket=b"x")).SerializeToString()

NEW = b"\xa2\x06\x03new"  # field 100, which this version does not know
OUTCOME = login_pb2.Outcome(verdict=login_pb2.VERDICT_GRANTED, user="alice").SerializeToString() + NEW
STEP = b"\x1a" + bytes([len(OUTCOME)]) + OUTCOME + NEW
LATER = b"\x0a" + bytes([len(STEP)]) + STEP + NEW


@pytest.mark.parametrize(
    "script",
    [
        RIGHT,
        (
            headers((*OK, ("x-new", "1"))),
            GRANT,
            headers((("grpc-status", "0"), ("grpc-message", "")), last=True),
        ),
        (headers(), message(LATER), trailers()),
        (headers(), GRANT[:9] + GRANT[9:], frame(PING, 0, bytes(8), 0), trailers()),
        (headers(((":status", "200"), ("content-type", "application/grpc+proto"))), GRANT, trailers()),
        in_pieces(WHOLE, 0),
    ],
    ids=["right", "more-headers", "unknown-field", "ping", "subtype", "byte-by-byte"],
)
async def test_right_answers(host: Host, script: tuple[Part, ...]) -> None:
    """IPC-06: a whole answer grants, and what a later version adds to it is passed over."""
    with RawServer(host.socket, script):
        assert (await host.login()).rc == PamCode.SUCCESS


@pytest.mark.parametrize(
    "script",
    [
        (RUBBISH,),
        (b"HTTP/1.1 200 OK\r\n\r\n",),
        (headers(((":status", "503"), ("content-type", "application/grpc"))), GRANT, trailers()),
        (headers(((":status", "200"), ("content-type", "text/html"))), GRANT, trailers()),
        (headers(((":status", "200"),)), GRANT, trailers()),
        (headers(((":status", "100"),)), GRANT, trailers()),
        (headers((("content-type", "application/grpc"),)), GRANT, trailers()),
        (GRANT, trailers()),
        (headers(), GRANT, trailers("13")),
        (headers(), GRANT, trailers("")),
        (headers(), GRANT, trailers("00")),
        (headers(), GRANT, trailers("000")),
        (headers(), GRANT, trailers("-0")),
        (headers(), GRANT, trailers("0x0")),
        (headers(), GRANT, trailers("99")),
        (headers(), GRANT, headers((("grpc-status", "0"), ("grpc-status", "0")), last=True)),
        (headers(), GRANT, headers((("grpc-message", "fine"),), last=True)),
        (headers((*OK, ("grpc-status", "0"))), GRANT, headers((("x", "y"),), last=True)),
        (headers((*OK, ("grpc-status", "0"))), frame(DATA, END_STREAM, GRANT[9:])),
        (headers(), frame(DATA, END_STREAM, GRANT[9:])),
        (headers(), GRANT, frame(HEADERS, END_HEADERS, b"\0\x0bgrpc-status\x010")),
        (headers(), GRANT, headers(), trailers()),
        (headers(), trailers()),
        (headers((*OK, ("grpc-status", "0")), last=True),),
        (headers(), GRANT, GRANT, trailers()),
        (headers(), GRANT, message(TWO), trailers()),
        (headers(), message(granted(), compressed=1), trailers()),
        (headers(), message(granted(), length=3), trailers()),
        (headers(), message(granted(), length=2**32 - 1), trailers()),
        (headers(), message(granted(), length=len(granted()) + 1), trailers()),
        (headers(), message(b""), trailers()),
        (headers(), message(b"\x0a"), trailers()),
        (headers(), message(RUBBISH[:500]), trailers()),
        (headers(), message(granted() + granted()), trailers()),
        (headers(), message(granted("alice\0")), trailers()),
        (headers(), message(granted(text="a\0b")), trailers()),
        (headers(), GRANT, frame(RST_STREAM, 0, b"\0\0\0\x08")),
        (headers(), GRANT, frame(RST_STREAM, 0, b"\0\0\0\x07")),
        (headers(), GRANT, frame(GOAWAY, 0, bytes(8), 0)),
        (headers(), GRANT, frame(HEADERS, END_STREAM | END_HEADERS, b"\xff\xff\xff")),
        (frame(5, END_HEADERS, b"\0\0\0\x02" + headers()[9:]),),
        (headers(), *[message(b"x" * 16000)] * 5, trailers()),
        (headers(tuple(("x", "y" * 100) for _ in range(100))), *[headers()] * 3),
        (headers(((":status", "200"), *(("x" * 100, "y" * 100) for _ in range(80)))), GRANT, trailers()),
        (frame(PING, 0, bytes(8), 0) * 4000, *RIGHT[:2], trailers("2")),
    ],
)
async def test_wrong_answers(host: Host, script: tuple[Part, ...]) -> None:
    """An answer that is cut, doubled, compressed, of a wrong status or no HTTP/2 at all never grants."""
    with RawServer(host.socket, (*script, CLOSE)) as server:
        result = await host.login(options="timeout=5")
    assert result.rc == PamCode.AUTHINFO_UNAVAIL
    assert server.requests == 1
    assert result.messages == ()


async def test_every_truncation(host: Host) -> None:
    """A right answer that ends early never grants; it is asked for again where nothing had come."""
    refused = message(granted().replace(b"\x08\x01", b"\x08\x02"))
    for cut in every_cut(WHOLE, lambda at: at % 8 == 3):
        with RawServer(host.socket, (cut, CLOSE), (headers(), refused, trailers())) as server:
            result = await host.login()
        assert result.rc == (PamCode.AUTHINFO_UNAVAIL if server.connections == 1 else PamCode.AUTH_ERR)
        assert server.connections == 1 or len(cut) < len(headers())
        host.socket.unlink()


async def test_last_byte_missing(host: Host) -> None:
    """A right answer without its last byte never grants."""
    with RawServer(host.socket, (WHOLE[:-1], CLOSE)):
        assert (await host.login(options="timeout=1")).rc == PamCode.AUTHINFO_UNAVAIL


@pytest.mark.parametrize(
    "script",
    [(), in_pieces(WHOLE, 0.3), (headers(), GRANT), (headers(), message(granted(), length=500))],
    ids=["silence", "slow-bytes", "no-trailers", "no-rest"],
)
async def test_deadline_is_for_the_whole_call(host: Host, script: tuple[Part, ...]) -> None:
    """IPC-03: silence, or a byte now and then, ends with the one deadline of the call."""
    with RawServer(host.socket, script):
        result = await host.login(options="timeout=1")
    assert result.rc == PamCode.AUTHINFO_UNAVAIL
    assert 0.9 < result.seconds[0] < 10
    assert any("no answer in time" in line for line in result.log)


async def test_nothing_listens_in_time(host: Host) -> None:
    """A daemon that is away is waited for until the deadline, and no longer."""
    begun = time.monotonic()
    result = await host.login(options="timeout=1")
    assert result.rc == PamCode.AUTHINFO_UNAVAIL
    assert 0.9 < result.seconds[0] < 10
    assert time.monotonic() - begun < 15


async def test_full_backlog(host: Host) -> None:
    """IPC-03: a listener that accepts nothing at all ends with the deadline too."""
    with RawServer(host.socket, (), hello=b""):
        assert (await host.login(options="timeout=1")).rc == PamCode.AUTHINFO_UNAVAIL


async def test_rubbish_in_place_of_settings(host: Host) -> None:
    """A server that does not begin as HTTP/2 demands never grants."""
    for hello in (RUBBISH, WHOLE, b"", HELLO[:5]):
        with RawServer(host.socket, (*RIGHT, CLOSE), hello=hello):
            assert (await host.login(options="timeout=1")).rc == PamCode.AUTHINFO_UNAVAIL
        host.socket.unlink()
