"""A session: what a person holds after signing in to their own account.

MUST 1: it is sealed, opens for the caller that signed in alone, and dies after `LIFETIME`.
MUST 2: its id is in the account's standing, hashed: what is not there any more is of no use, at every call.
MUST 3: the person is found anew at every call: another account under the same name gets nothing (IDN-04).
MUST 4: a change needs a proof of this session, not older than `PROOF_LIFETIME`. A recovery code, a last
        resort and what is on hold after one let the person add something, and change nothing else (REC-04);
        a device is no proof (DEV-03).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nightlatch.errors import ProofNeeded, SessionEnded
from nightlatch.keys import SealError
from nightlatch.login.hold import Level, worth
from nightlatch.login.sealed_account import account_fields, account_in
from nightlatch.model import Changes, DecisionRequest

if TYPE_CHECKING:
    from nightlatch.keys import Sealer
    from nightlatch.login.parts import Parts
    from nightlatch.model import Account, Snapshot, Standing

LIFETIME = 900.0
"""Seconds."""
PROOF_LIFETIME = 600.0
"""For how long a proof lets the person change things, in seconds."""
MOST_OPEN = 8
"""Sessions of one account; one more ends the oldest."""
MAX_BEARER = 16 * 1024
ENDED = "Your session has ended. Sign in again."
PROOF_NEEDED = "This change needs a fresh proof: confirm with your second step that it is you."


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in."""

    id: str
    account: Account
    expires_at: float
    level: Level
    proved_at: float
    source: str
    """Where the person is, for limits and the audit."""

    @property
    def reference(self) -> str:
        """The session's name in the audit."""
        return f"{self.id[:4]}-{self.id[4:8]}"


class Sessions:
    """Opens, looks at and ends sessions."""

    def __init__(self, parts: Parts, sealer: Sealer) -> None:
        self._parts = parts
        self._sealer = sealer

    async def open(
        self, caller: str, account: Account, level: Level, source: str, credential_id: str
    ) -> bytes:
        """The bearer of a new session, behind a proof by a credential; raises Unavailable.

        `level` is what its factor is worth; of no credential (an empty id) a proof is worth nothing.
        """
        identity = self._parts.randomness.bytes(16).hex()

        def body(snapshot: Snapshot) -> tuple[Changes, tuple[float, Level]]:
            end = snapshot.now + LIFETIME
            open_ones = [one for one in snapshot.standing.sessions if one[1] > snapshot.now]
            kept = (*open_ones[-MOST_OPEN + 1 :], (hashed(identity), end))
            changes = Changes(standing=replace(snapshot.standing, sessions=kept))
            return changes, (end, worth(snapshot, credential_id, level))

        end, proven = await self._parts.store.decide(standing_of(account), body)
        proved_at = self._parts.clock.now() if proven else 0.0
        return self.seal(Session(identity, account, end, proven, proved_at, source), caller)

    def proven(self, caller: str, session: Session, level: Level) -> bytes:
        """The bearer of the same session with a fresh proof; it lives no longer than before."""
        return self.seal(replace(session, level=level, proved_at=self._parts.clock.now()), caller)

    async def take(self, caller: str, bearer: bytes, needs: Level = Level.NONE) -> Session:
        """The session behind a bearer; raises SessionEnded, ProofNeeded, Unavailable."""
        session = self._opened(caller, bearer)
        now = self._parts.clock.now()
        if not session.expires_at - LIFETIME <= now + 1 or now >= session.expires_at:
            raise SessionEnded(ENDED)
        found = await self._parts.accounts.find(session.account.name)
        if found is None or found.id != session.account.id:
            raise SessionEnded(ENDED)
        standing = await self._parts.store.standing(found.id)
        if standing.disabled_at is not None or not is_open(standing, session, now):
            raise SessionEnded(ENDED)
        if session.level < needs or (needs and not 0 <= now - session.proved_at + 1 < PROOF_LIFETIME):
            raise ProofNeeded(PROOF_NEEDED)
        return replace(session, account=found)

    async def end(self, caller: str, bearer: bytes) -> Session:
        """Sign out of a session, open or over; raises SessionEnded for one of another caller, Unavailable."""
        session = self._opened(caller, bearer)

        def body(snapshot: Snapshot) -> tuple[Changes, None]:
            left = tuple(one for one in snapshot.standing.sessions if one[0] != hashed(session.id))
            return Changes(standing=replace(snapshot.standing, sessions=left)), None

        await self._parts.store.decide(standing_of(session.account), body)
        return session

    def seal(self, session: Session, caller: str) -> bytes:
        """The session's bearer."""
        fields = [
            session.id,
            account_fields(session.account),
            session.expires_at,
            int(session.level),
            session.proved_at,
            session.source,
        ]
        return self._sealer.seal(json.dumps(fields).encode(), _place(caller))

    def _opened(self, caller: str, bearer: bytes) -> Session:
        try:
            if len(bearer) > MAX_BEARER:
                raise SessionEnded(ENDED)
            fields = json.loads(self._sealer.open(bearer, _place(caller)))
        except SealError:
            raise SessionEnded(ENDED) from None
        identity, account, end, level, proved_at, source = fields
        return Session(identity, account_in(account), end, Level(level), proved_at, source)


def is_open(standing: Standing, session: Session, now: float) -> bool:
    """Whether the account's standing has this session, and its time is not over."""
    return any(one == hashed(session.id) and now < end for one, end in standing.sessions)


def only(standing: Standing, session: Session | None) -> Standing:
    """The standing without any session but this one."""
    kept = () if session is None else ((hashed(session.id), session.expires_at),)
    return replace(standing, sessions=tuple(one for one in standing.sessions if one in kept))


def hashed(identity: str) -> str:
    """What the store keeps of a session's id."""
    return hashlib.sha256(identity.encode()).hexdigest()


def standing_of(account: Account) -> DecisionRequest:
    """Locks and reads the account's standing."""
    return DecisionRequest(account_id=account.id, account=account, standing=True)


def _place(caller: str) -> bytes:
    return b"session\0" + caller.encode()
