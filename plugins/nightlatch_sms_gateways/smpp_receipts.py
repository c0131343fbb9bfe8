"""Delivery receipts: what became of a message (SMPP 3.4, sections 5.2.28 and 5.3.2, appendix B)."""

from __future__ import annotations

import re
from collections.abc import Callable

from nightlatch.channel import Delivery, DeliveryState

_ID = re.compile(r"[!-~]{1,64}")
_IN_TEXT = {name: re.compile(rf"(?i)(?:^|\s){name}:\s?([!-~]{{1,64}})") for name in ("id", "stat", "err")}
_LONGEST_TEXT = 255
"""Octets of a receipt's text that are looked at: as much as a short message holds."""

_BY_NUMBER = {
    1: DeliveryState.UNDER_WAY,  # ENROUTE
    2: DeliveryState.DELIVERED,
    3: DeliveryState.EXPIRED,
    4: DeliveryState.DELETED,
    5: DeliveryState.UNDELIVERED,
    6: DeliveryState.UNDER_WAY,  # ACCEPTED
    7: DeliveryState.UNKNOWN,
    8: DeliveryState.REJECTED,
}
_BY_WORD = {
    "ENROUTE": DeliveryState.UNDER_WAY,
    "DELIVRD": DeliveryState.DELIVERED,
    "EXPIRED": DeliveryState.EXPIRED,
    "DELETED": DeliveryState.DELETED,
    "UNDELIV": DeliveryState.UNDELIVERED,
    "ACCEPTD": DeliveryState.UNDER_WAY,
    "REJECTD": DeliveryState.REJECTED,
}

Receipts = Callable[[Delivery], None]
"""Takes receipts, in the event loop; must be quick. What it raises is not passed on."""


def receipt_in(message_id: bytes | None, state: int | None, text: bytes) -> Delivery | None:
    """The receipt in a deliver_sm: from its parameters, or its text; None when it names no message."""
    words = text[:_LONGEST_TEXT].decode("ascii", errors="replace")
    found = {name: match.group(1) for name, one in _IN_TEXT.items() if (match := one.search(words))}
    named = message_id.rstrip(b"\0").decode("ascii", errors="replace") if message_id else found.get("id", "")
    if _ID.fullmatch(named) is None:
        return None
    known = _BY_NUMBER.get(state or 0) or _BY_WORD.get(found.get("stat", "").upper())
    error = found.get("err", "")
    return Delivery(named, known or DeliveryState.UNKNOWN, error if error.strip("0") else "")
