"""How far the audit has been told at one address, and which of the daemons that share the store tells.

MUST 1: one of them tells at a time, as far as their clocks agree: the others wait until it lets go, or until
        it has not been heard of for `LEASE` seconds.
MUST 2: it moves forwards only.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nightlatch.ports import Clock
    from nightlatch.webhook.feed import AuditFeed

LEASE = 30.0
"""Seconds; longer than a receiver may take for one event."""


@dataclass(frozen=True, slots=True)
class _Place:
    after: int
    """The number of the row that was told last, or passed over."""
    holder: str
    until: float


class Bookmark:
    """One daemon's hand on the bookmark of one address."""

    def __init__(self, feed: AuditFeed, url: str, holder: str, clock: Clock) -> None:
        """`holder` is a name that no other has."""
        self._feed = feed
        self._name = f"webhook {hashlib.sha256(url.encode()).hexdigest()[:16]}"
        self._holder = holder
        self._clock = clock

    async def keep(self, after: int | None) -> int | None:
        """Hold it for a while, and put it behind this row, where it is known; None where another has it.

        Where it is now; at an address that was never told of anything, at the audit's end.
        Raises Unavailable.
        """
        newest = await self._feed.newest()

        def change(text: str) -> str | None:
            now = self._clock.now()
            place = _read(text)
            if place is None:
                return self._text(newest if after is None else after)
            if place.holder == self._holder:
                return self._text(max(place.after, after or 0))
            # A lease that ends later than any that is given out now is from before somebody set a clock.
            if place.holder and now < place.until <= now + 2 * LEASE:
                return None
            return self._text(place.after)

        place = _read(await self._feed.mark(self._name, change))
        return place.after if place is not None and place.holder == self._holder else None

    async def let_go(self, after: int) -> None:
        """Leave it to the others, behind this row. Raises Unavailable."""

        def change(text: str) -> str | None:
            place = _read(text)
            if place is None or place.holder != self._holder:
                return None
            return _text(_Place(max(place.after, after), "", 0.0))

        await self._feed.mark(self._name, change)

    def _text(self, after: int) -> str:
        return _text(_Place(after, self._holder, self._clock.now() + LEASE))


def _text(place: _Place) -> str:
    return json.dumps(asdict(place))


def _read(text: str) -> _Place | None:
    """The place; None for none, and for what no daemon has written."""
    try:
        fields = json.loads(text or "null")
        return _Place(int(fields["after"]), str(fields["holder"]), float(fields["until"]))
    except (ValueError, TypeError, KeyError):
        return None
