"""What waits between two calls: a credential and its challenge, in a sealed ticket."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nightlatch.keys import SealError
from nightlatch.login.sealed_account import account_fields, account_in
from nightlatch.login.ticket import TicketError
from nightlatch.model import Credential

if TYPE_CHECKING:
    from nightlatch.keys import Sealer
    from nightlatch.model import Account

LIFETIME = 600.0
"""How long an enrolment or a removal waits for its answer, in seconds."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A credential that waits for an answer."""

    account: Account
    credential: Credential
    memo: bytes = field(repr=False)
    expires_at: float


class PendingTickets:
    """Seals and opens what waits. Each purpose has its own place, so that a ticket is good for one thing."""

    def __init__(self, sealer: Sealer, purpose: str) -> None:
        self._sealer = sealer
        self._purpose = purpose

    def seal(self, pending: Pending, caller: str) -> bytes:
        """The ticket, bound to its caller."""
        credential = pending.credential
        fields = {
            "account": account_fields(pending.account),
            "credential": [credential.id, credential.factor, credential.label, credential.state.hex()],
            "memo": pending.memo.hex(),
            "expires_at": pending.expires_at,
        }
        return self._sealer.seal(json.dumps(fields).encode(), self._place(caller))

    def open(self, ticket: bytes, caller: str, now: float) -> Pending:
        """What waits; raises TicketError when it is not this caller's, or too old."""
        try:
            fields = json.loads(self._sealer.open(ticket, self._place(caller)))
        except SealError as error:
            raise TicketError("This ticket is not from this daemon, or not for this caller.") from error
        if now >= fields["expires_at"]:
            raise TicketError("This took longer than 10 minutes. Begin it again.")
        account = account_in(fields["account"])
        identity, factor, label, state = fields["credential"]
        credential = Credential(account.id, identity, factor, label, bytes.fromhex(state), 0.0)
        return Pending(account, credential, bytes.fromhex(fields["memo"]), fields["expires_at"])

    def _place(self, caller: str) -> bytes:
        return f"{self._purpose}\0{caller}".encode()
