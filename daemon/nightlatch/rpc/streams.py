"""How many streams a caller begins and resets, read off the HTTP/2 frames that go by (RFC 9113, section 4.1).

gRPC bounds what a connection has open, and nothing that it opens and resets at once ("rapid reset",
CVE-2023-44487): that costs the caller little and the daemon much, and reaches no handler that could count it.

MUST 1: a caller has one allowance for all its connections: a new one earns no fresh start (API-03).
MUST 2: only frames' headers are looked at; nothing is kept of what is in them.
"""

from __future__ import annotations

PREFACE = 24
"""Bytes that an HTTP/2 client says first (RFC 9113, section 3.4)."""
SECONDS = 10.0
"""For how long a caller may save up what it has not used."""
ROOM = 200
"""Frames a second beside those of its requests: calls that are given up, and a slow clock."""
_HEADER = 9
_COUNTED = frozenset({1, 2, 3, 9})
"""HEADERS, PRIORITY, RST_STREAM, CONTINUATION. Each stream has one of the first; the rest is rare."""


class Frames:
    """Follows the frames of one connection."""

    def __init__(self) -> None:
        self._skip = PREFACE
        self._begun = b""
        """A frame's header of which only a part has come."""

    def counted(self, data: bytes) -> int:
        """How many of the frames that begin in the next piece of the connection begin or reset a stream."""
        if self._begun:
            data, self._begun = self._begun + data, b""
        at, found, end = self._skip, 0, len(data)
        while at + _HEADER <= end:
            found += data[at + 3] in _COUNTED
            at += _HEADER + int.from_bytes(data[at : at + 3])
        if at < end:
            self._begun, self._skip = data[at:], 0
        else:
            self._skip = at - end
        return found


class Allowance:
    """What is left of the frames that one caller may send."""

    def __init__(self) -> None:
        self._used = 0.0
        self._at = 0.0

    def take(self, frames: int, requests_per_second: int, now: float) -> bool:
        """Use some of it up; False where there was not enough. `now` is on a steady clock."""
        rate = most_frames(requests_per_second)
        self._used = max(0.0, self._used - (now - self._at) * rate) + frames
        self._at = now
        if self._used <= rate * SECONDS:
            return True
        self._used = rate * SECONDS  # who has too much for a while is not kept out for longer than that
        return False


def most_frames(requests_per_second: int) -> int:
    """How many such frames a caller may send a second: each of its requests begun, and given up."""
    return 2 * requests_per_second + ROOM
