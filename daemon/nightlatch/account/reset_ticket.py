"""What a reset of a forgotten password knows between two calls, sealed.

MUST 1: it opens for the caller that began it alone, and for its time.
MUST 2: the code is never in it: its keyed hash is in the store.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from nightlatch.keys import SealError
from nightlatch.login.sealed_account import account_fields, account_in
from nightlatch.login.ticket import TicketError

if TYPE_CHECKING:
    from nightlatch.keys import Sealer
    from nightlatch.model import Account

CODE_SECONDS = 1800.0
PASSWORD_SECONDS = 300.0
"""For typing the new password: shorter than the store remembers a spent ticket."""
MAX_TICKET = 64 * 1024
OVER = "This took too long, or was done before. Begin again."


class ResetStage(Enum):
    """Which answer is waited for."""

    CODE = "code"
    PROOF = "proof"
    PASSWORD = "password"  # noqa: S105, the word, not a secret


@dataclass(frozen=True, slots=True)
class ResetState:
    """All that a reset knows."""

    id: str
    """Of this ticket: what is answered once is spent by it."""
    stage: ResetStage
    user: str
    """The name as it was typed."""
    source: str
    expires_at: float
    account: Account | None = None
    """Set once the code from the mail was right."""
    inner: bytes = field(default=b"", repr=False)
    """The ticket of the second step."""
    tries: int = 0


class ResetTickets:
    """Seals and opens them."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal(self, state: ResetState, caller: str) -> bytes:
        """The ticket of a state, bound to its caller."""
        fields = [
            state.id,
            state.stage.value,
            state.user,
            state.source,
            state.expires_at,
            state.account and account_fields(state.account),
            state.inner.hex(),
            state.tries,
        ]
        return self._sealer.seal(json.dumps(fields).encode(), _place(caller))

    def open(self, ticket: bytes, caller: str, now: float) -> ResetState:
        """The state of a ticket; raises TicketError."""
        if len(ticket) > MAX_TICKET:
            raise TicketError(OVER)
        try:
            fields = json.loads(self._sealer.open(ticket, _place(caller)))
        except SealError as error:
            raise TicketError(OVER) from error
        identity, stage, user, source, end, account, inner, tries = fields
        if not end - CODE_SECONDS <= now + 1 or now >= end:
            raise TicketError(OVER)
        found = account and account_in(account)
        return ResetState(identity, ResetStage(stage), user, source, end, found, bytes.fromhex(inner), tries)


def _place(caller: str) -> bytes:
    return b"reset\0" + caller.encode()
