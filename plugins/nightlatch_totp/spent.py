"""The time steps whose codes were accepted, so that none is accepted again whatever the clock does.

MUST 1: a step that was accepted once is never accepted again.
MUST 2: a step at or before an accepted one is refused, while the clock is right or went back by a little.
MUST 3: a step that was accepted under a clock far in the future does not lock the person out of the present.

A plain "last accepted step" breaks MUST 3 when the clock once ran a year ahead, and MUST 1 when it is then
lowered by hand. So a few ranges are kept, oldest first; when there are too many, the two nearest
become one, which refuses more and never less.
"""

from __future__ import annotations

import struct

Ranges = tuple[tuple[int, int], ...]
"""Accepted steps, as (first, last) with both ends included, in order and apart."""

MOST_RANGES = 4
GOING_BACK_STEPS = 20
"""How far the clock may go back while all before stays dead: 10 minutes, and the person waits as long."""
_RANGE = struct.Struct(">QQ")


def refuses(ranges: Ranges, step: int, now_step: int) -> bool:
    """Whether the code of `step` may not be accepted (any more)."""
    horizon = now_step + 1 + GOING_BACK_STEPS
    return any(first <= horizon and step <= last for first, last in ranges)


def was_spent(ranges: Ranges, step: int) -> bool:
    """Whether `step` lies in what was accepted, wherever the clock stands."""
    return any(first <= step <= last for first, last in ranges)


def seconds_gone_back(ranges: Ranges, now_step: int, period: int) -> int:
    """How far the clock is known to have gone back: the newest accepted step was at most one ahead of it."""
    newest = ranges[-1][1] if ranges else 0
    return max(0, newest - now_step - 1) * period


def spend(ranges: Ranges, step: int) -> Ranges:
    """`ranges` with `step` in it."""
    merged = sorted([*ranges, (step, step)])
    if len(merged) > MOST_RANGES:
        gaps = [merged[index + 1][0] - merged[index][1] for index in range(len(merged) - 1)]
        closest = gaps.index(min(gaps))
        merged[closest : closest + 2] = [(merged[closest][0], merged[closest + 1][1])]
    return tuple(merged)


def encode(ranges: Ranges) -> bytes:
    """Sixteen bytes a range."""
    return b"".join(_RANGE.pack(first, last) for first, last in ranges)


def decode(text: bytes, count: int) -> Ranges:
    """The opposite of `encode`; raises ValueError for anything but `count` ranges in order."""
    if count > MOST_RANGES or len(text) != count * _RANGE.size:
        raise ValueError("the spent steps of a TOTP credential have no such length")
    ranges = tuple(_RANGE.iter_unpack(text))
    ends = [end for span in ranges for end in span]
    if ends != sorted(ends):
        raise ValueError("the spent steps of a TOTP credential are out of order")
    return ranges
