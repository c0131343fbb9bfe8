"""Streams that are begun and reset are counted off the bytes, however these are cut (API-03)."""

from __future__ import annotations

import struct

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection

from nightlatch.rpc.streams import ROOM, SECONDS, Allowance, Frames

REQUEST = [(":method", "POST"), (":scheme", "https"), (":path", "/a/B"), (":authority", "localhost")]


def spoken(calls: int) -> bytes:
    """What a real HTTP/2 client sends that begins calls and resets each."""
    client = H2Connection(H2Configuration(client_side=True))
    client.initiate_connection()
    client.local_settings.max_concurrent_streams = calls
    for _ in range(calls):
        stream = client.get_next_available_stream_id()
        client.send_headers(stream, REQUEST)
        client.send_data(stream, struct.pack(">BI", 0, 0))
        client.reset_stream(stream, 8)
    client.ping(b"12345678")
    return client.data_to_send()


@pytest.mark.parametrize("piece", [1, 2, 7, 9, 64, 100_000])
def test_frames_are_counted_in_pieces_of_any_size(piece: int) -> None:
    """A beginning and a reset for each call; data, settings and pings are not counted."""
    said, frames = spoken(10), Frames()
    pieces = [said[place : place + piece] for place in range(0, len(said), piece)]
    assert sum(frames.counted(one) for one in pieces) == 20


def test_an_allowance_is_saved_up_for_seconds_and_no_longer() -> None:
    """Each request begun and given up, for ten seconds at once; after a long rest it is no more."""
    most = int((2 * 100 + ROOM) * SECONDS)
    for rested in (0.0, 3600.0):
        allowance = Allowance()
        assert allowance.take(0, 100, 1000.0)
        assert allowance.take(most, 100, 1000.0 + rested)
        assert not allowance.take(1, 100, 1000.0 + rested)
        assert allowance.take(2 * 100 + ROOM, 100, 1001.0 + rested)


def test_who_used_too_much_waits_no_longer_than_others() -> None:
    """A flood does not keep a caller out for good: it goes on with what each second brings."""
    allowance = Allowance()
    assert not allowance.take(10**9, 100, 1000.0)
    assert not allowance.take(1, 100, 1000.0)
    assert allowance.take(100, 100, 1001.0)
