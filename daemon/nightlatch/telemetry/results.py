"""How something went, in one of a few words: from the error that ended it."""

from __future__ import annotations

import asyncio

from nightlatch.channel import NotSent
from nightlatch.errors import Conflict, Invalid, Locked, NotFound, Refused, Unavailable
from nightlatch.login.ticket import TicketError
from nightlatch.ports import WorkFirst

OK = "ok"
FAILED = "failed"
_RESULTS: tuple[tuple[type[BaseException], str], ...] = (
    (Refused, "refused"),
    (Locked, "locked"),
    (Unavailable, "unavailable"),
    (NotSent, "not_sent"),
    (TicketError, "stale"),
    (WorkFirst, "repeated"),
    (Invalid, "invalid"),
    (Conflict, "invalid"),
    (NotFound, "invalid"),
    (asyncio.CancelledError, "cancelled"),
)


def result_of(error: type[BaseException]) -> str:
    """The word for an error; "failed" for one that nobody expects."""
    return next((word for kind, word in _RESULTS if issubclass(error, kind)), FAILED)
