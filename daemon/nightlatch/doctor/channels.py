"""When a channel failed last, from the audit: no message is sent to find out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.doctor.finding import warn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightlatch.doctor.finding import Finding

_HOUR = 3600


def failures(channels: Iterable[str], unsent: Iterable[tuple[float, str]], now: float) -> list[Finding]:
    """The last failure of each channel. `unsent` are the times and reasons of messages that did not leave."""
    last: dict[str, tuple[float, str]] = {}
    for at, reason in unsent:
        channel, _, why = reason.partition(": ")
        if at > last.get(channel, (0.0, ""))[0]:
            last[channel] = (at, why)
    return [_failed(name, *last[name], now) for name in sorted(channels) if name in last]


def _failed(name: str, at: float, why: str, now: float) -> Finding:
    hours = int((now - at) // _HOUR)
    when = f"{hours} h ago" if hours else "within the last hour"
    remedy = f"Try it: nightlatch channel test {name} --to ADDRESS"
    return warn(f"channel {name}", f"a message did not leave {when}: {why}", remedy)
