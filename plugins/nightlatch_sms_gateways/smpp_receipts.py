"""Delivery receipts: what became of a message (SMPP 3.4, sections 5.2.28 and 5.3.2, appendix B)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

_ID = re.compile(r"[!-~]{1,64}")
_IN_TEXT = {name: re.compile(rf"(?i)(?:^|\s){name}:\s?([!-~]{{1,64}})") for name in ("id", "stat", "err")}


class DeliveryState(Enum):
    """The state of a message at its provider, by SMPP's numbers."""

    UNKNOWN = 7
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    REJECTED = 8


_WORDS = {
    "ENROUTE": DeliveryState.ENROUTE,
    "DELIVRD": DeliveryState.DELIVERED,
    "EXPIRED": DeliveryState.EXPIRED,
    "DELETED": DeliveryState.DELETED,
    "UNDELIV": DeliveryState.UNDELIVERABLE,
    "ACCEPTD": DeliveryState.ACCEPTED,
    "REJECTD": DeliveryState.REJECTED,
}


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """What a provider says of a message that it took."""

    provider_id: str
    """The id that `Receipt.provider_id` holds; of a message in parts, the id of one of them."""
    state: DeliveryState
    error: str = ""
    """The network's own error code, such as "011"; empty when there was none."""


Receipts = Callable[[DeliveryReceipt], None]
"""Takes receipts, in the event loop; must be quick. What it raises is not passed on."""


def log_receipt(receipt: DeliveryReceipt) -> None:
    """Take a receipt where nobody else does: as the event "sms.receipt" of Python's logging."""
    fields = {"provider_id": receipt.provider_id, "state": receipt.state.name, "error": receipt.error}
    level = logging.INFO if receipt.state in _GOOD else logging.WARNING
    logging.getLogger(__name__).log(level, "sms.receipt", extra=fields)


_GOOD = frozenset({DeliveryState.DELIVERED, DeliveryState.ENROUTE, DeliveryState.ACCEPTED})


def receipt_in(message_id: bytes | None, state: int | None, text: bytes) -> DeliveryReceipt | None:
    """The receipt in a deliver_sm: from its parameters, or its text; None when it names no message."""
    words = text.decode("ascii", errors="replace")
    found = {name: match.group(1) for name, one in _IN_TEXT.items() if (match := one.search(words))}
    named = message_id.rstrip(b"\0").decode("ascii", errors="replace") if message_id else found.get("id", "")
    if _ID.fullmatch(named) is None:
        return None
    by_number = {one.value: one for one in DeliveryState}
    known = by_number.get(state or 0) or _WORDS.get(found.get("stat", "").upper()) or DeliveryState.UNKNOWN
    error = found.get("err", "")
    return DeliveryReceipt(named, known, error if error.strip("0") else "")
