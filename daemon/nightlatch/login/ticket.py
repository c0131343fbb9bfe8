"""The state of a login, sealed, so that the daemon keeps no open logins.

MUST 1: a ticket opens only for the caller that began the login, and only for `LIFETIME` seconds.
MUST 2: what is counted or spent once is in the store, never here. Every ticket has an id of its own, which
        its answer spends: an older ticket of a login, and the code that is sealed in it, is dead.
MUST 3: a ticket never carries a password or a person's answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from nightlatch.errors import Invalid
from nightlatch.keys import SealError
from nightlatch.login.sealed_account import account_fields, account_in

if TYPE_CHECKING:
    from nightlatch.keys import Sealer
    from nightlatch.model import Account
    from nightlatch.ports import Randomness

LIFETIME = 300.0
"""How long a login may take, in seconds (DESIGN: 300)."""
MAX_TICKET = 48 * 1024
"""Bytes: eight pieces of evidence of 4096 characters, and the rest."""


_STAGE, _EVIDENCE, _ACCOUNT, _MEMO = 1, 7, 9, 11
"""Where these stand among the fields of a state."""


class TicketError(Invalid):
    """A ticket is not this caller's, is too old, or was never ours. The login must begin again."""


class Stage(Enum):
    """Which answer a ticket waits for."""

    PASSWORD = "password"  # noqa: S105, the word, not a secret
    CHOICE = "choice"
    LAST_RESORT = "last_resort"
    """Whether to send a message to somebody who has nothing else at hand."""
    FACTOR = "factor"
    OFFER = "offer"
    """The login is granted; whether the device shall be trusted."""
    ONBOARDING = "onboarding"
    """A question of the dialogue in which a second step is set up."""


@dataclass(frozen=True, slots=True)
class LoginState:
    """All that a login knows between two calls."""

    login_id: str
    stage: Stage
    user: str
    service: str
    source: str
    expires_at: float
    ticket_id: str = ""
    """Spent by the answer; made anew for every ticket."""
    evidence: tuple[str, ...] = field(default=(), repr=False)
    """What the caller sent for silent factors."""
    keeps_token: bool = False
    """Whether the caller can keep a secret for the device."""
    account: Account | None = None
    """Set once the directory has named the person."""
    credential_id: str = ""
    """The credential that was challenged."""
    memo: bytes = field(default=b"", repr=False)
    """The challenge's memo."""
    prompt: str = ""
    """The challenge's question, for asking it again."""
    echo: bool = True
    default: int = 0
    """Which of the listed ways an empty answer takes."""
    tries: int = 0
    """Wrong answers in this login. For its words and its end; the limiter counts in the store."""
    draws_qr: bool = False
    """Whether the caller draws QR codes and shows details itself."""
    proving: bool = False
    """Whether the proof that is asked for only lets the person set up another factor: it grants nothing."""
    onboarding: str = field(default="", repr=False)
    """Where the dialogue stands in which a second step is set up."""
    factor: str = ""
    """The factor whose proof was accepted; empty before that, and where policy asked for none."""

    @property
    def reference(self) -> str:
        """The name of this login in log and audit: "7f3a-22c1"."""
        return f"{self.login_id[:4]}-{self.login_id[4:8]}"


class Tickets:
    """Seals and opens login states."""

    def __init__(self, sealer: Sealer, randomness: Randomness) -> None:
        self._sealer = sealer
        self._randomness = randomness
        # Made once: json.dumps and json.loads look for their options at every call.
        self._encode = json.JSONEncoder(separators=(",", ":")).encode
        self._decode = json.JSONDecoder().decode

    def seal(self, state: LoginState, caller: str, *, step: int = 1) -> bytes:
        """A new ticket of a state, bound to its caller.

        What is sealed has a multiple of `step` bytes: a ticket's length then tells little of what is in it.
        """
        account = state.account
        fields = [
            state.login_id,
            state.stage.value,
            state.user,
            state.service,
            state.source,
            state.expires_at,
            self._randomness.bytes(16).hex(),
            state.evidence,
            state.keeps_token,
            account and account_fields(account),
            state.credential_id,
            state.memo.hex(),
            state.prompt,
            state.echo,
            state.default,
            state.tries,
            state.draws_qr,
            state.proving,
            state.onboarding,
            state.factor,
        ]
        text = self._encode(fields).encode()
        return self._sealer.seal(text + b" " * (-len(text) % step), _place(caller))

    def open(self, ticket: bytes, caller: str, now: float) -> LoginState:
        """The state of a ticket; raises TicketError when it is not this caller's or too old."""
        if len(ticket) > MAX_TICKET:
            raise TicketError("the ticket is too long")
        try:
            fields: list[Any] = self._decode(self._sealer.open(ticket, _place(caller)).decode())
        except SealError as error:
            raise TicketError("the ticket is not from this daemon, or not for this caller") from error
        fields[_STAGE] = Stage(fields[_STAGE])
        fields[_EVIDENCE] = tuple(fields[_EVIDENCE])
        fields[_ACCOUNT] = fields[_ACCOUNT] and account_in(fields[_ACCOUNT])
        fields[_MEMO] = bytes.fromhex(fields[_MEMO])
        state = LoginState(*fields)
        if not state.expires_at - LIFETIME <= now + 1 or now >= state.expires_at:
            raise TicketError("the login took too long; begin it again")
        return state


def _place(caller: str) -> bytes:
    return b"login\0" + caller.encode()
