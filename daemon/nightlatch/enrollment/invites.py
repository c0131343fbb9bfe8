"""Invites: an administrator's one-time permission for a person to set up a second step at a login.

MUST 1: an invite has 128 bits at least, is told once, and is kept as a keyed hash that names its account.
MUST 2: an account has one open invite at most, and a new one takes its place.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nightlatch.enrollment.asking import change
from nightlatch.errors import Invalid
from nightlatch.model import Account, Changes, DecisionRequest, Secret, Snapshot, Standing

if TYPE_CHECKING:
    from nightlatch.login.parts import Parts

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no letter looks like another one or like a digit."""
LENGTH = 26
"""Letters of 5 bits: 130 bits."""
GROUP = 4
DAYS, MOST_DAYS = 7, 90
DAY = 86_400.0
_LOOK_ALIKE = str.maketrans("OIL", "011", " -")


@dataclass(frozen=True, slots=True)
class Invite:
    """A new invite, as it is told once."""

    account: Account
    text: Secret = field(repr=False)
    expires_at: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """An invite before it is open."""

    text: Secret = field(repr=False)
    tag: str = field(repr=False)
    days: int

    def opened(self, standing: Standing, now: float) -> Standing:
        """The standing with this invite as the only one that is open."""
        return replace(standing, invite=self.tag, invite_expires_at=now + self.days * DAY)


class Invites:
    """Makes and ends invites. Using one is part of a login."""

    def __init__(self, parts: Parts, key: bytes) -> None:
        self._parts = parts
        self._key = key

    def __repr__(self) -> str:
        """Say nothing about the key."""
        return "Invites(…)"

    async def create(self, caller: str, user: str, days: int = 0) -> Invite:
        """A new invite, in place of an open one; raises Invalid, NotFound, Unavailable."""
        account = await self._parts.accounts.get(user)
        drawn = self.draw(account, days)
        event = change("invite.create", account, caller)

        def body(snapshot: Snapshot) -> tuple[Changes, float]:
            standing = drawn.opened(snapshot.standing, snapshot.now)
            return Changes(standing=standing, events=(event,)), standing.invite_expires_at

        end = await self._parts.store.decide(_of(account), body)
        return Invite(account, drawn.text, end)

    def draw(self, account: Account, days: int = 0) -> Drawn:
        """An invite that nothing knows of yet; raises Invalid."""
        days = days or DAYS
        if days > MOST_DAYS:
            raise Invalid(f"An invite is good for 1 to {MOST_DAYS} days.")
        letters = "".join(LETTERS[byte % len(LETTERS)] for byte in self._parts.randomness.bytes(LENGTH))
        groups = (letters[start : start + GROUP] for start in range(0, LENGTH, GROUP))
        return Drawn(Secret("-".join(groups)), self.tag(account, letters), days)

    async def revoke(self, caller: str, user: str) -> tuple[Account, bool]:
        """End a person's open invite; whether there was one. Raises NotFound, Unavailable."""
        account = await self._parts.accounts.get(user)
        event = change("invite.revoke", account, caller)

        def body(snapshot: Snapshot) -> tuple[Changes, bool]:
            standing = snapshot.standing
            if not standing.invite:
                return Changes(), False
            ended = replace(standing, invite="", invite_expires_at=0.0)
            return Changes(standing=ended, events=(event,)), snapshot.now < standing.invite_expires_at

        return account, await self._parts.store.decide(_of(account), body)

    def tag(self, account: Account, typed: str) -> str:
        """What is kept of an invite: by a key, and for one account."""
        text = typed.upper().translate(_LOOK_ALIKE)
        return hmac.new(self._key, f"{account.id}\0{text}".encode(), hashlib.sha256).hexdigest()


def _of(account: Account) -> DecisionRequest:
    return DecisionRequest(account_id=account.id, account=account, standing=True)
