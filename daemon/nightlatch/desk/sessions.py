"""The sessions in which a person looks after their own account: listed and ended by an administrator.

MUST 1: what is told of a session is no part of its bearer: the store has only a hash of its id.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nightlatch.enrollment.asking import change
from nightlatch.errors import NotFound
from nightlatch.model import Account, Changes, DecisionRequest, Snapshot

if TYPE_CHECKING:
    from nightlatch.login.parts import Parts

SHOWN = 12
"""Letters of a session's hash that are told."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that has not ended."""

    id: str
    """The beginning of its hash."""
    ends_at: float


async def open_sessions(parts: Parts, user: str) -> tuple[Account, tuple[OpenSession, ...]]:
    """A person's open sessions, those that end first in front; raises NotFound, Unavailable."""
    account = await parts.accounts.get(user)
    standing = await parts.store.standing(account.id)
    now = parts.clock.now()
    found = (OpenSession(one[:SHOWN], end) for one, end in standing.sessions if now < end)
    return account, tuple(sorted(found, key=lambda one: one.ends_at))


async def end_sessions(parts: Parts, caller: str, user: str, session_id: str) -> tuple[Account, int]:
    """End one session of a person, or all where `session_id` is empty; how many were open.

    Raises NotFound, Unavailable.
    """
    account = await parts.accounts.get(user)
    event = change("session.end", account, caller)

    def body(snapshot: Snapshot) -> tuple[Changes, int]:
        there = snapshot.standing.sessions
        ended = [one for one in there if not session_id or one[0][:SHOWN] == session_id]
        if session_id and not ended:
            raise NotFound(f"{account.name} has no session {session_id}. See: nightlatch session list")
        left = tuple(one for one in there if one not in ended)
        still = sum(snapshot.now < end for _, end in ended)
        return Changes(standing=replace(snapshot.standing, sessions=left), events=(event,)), still

    request = DecisionRequest(account_id=account.id, account=account, standing=True)
    return account, await parts.store.decide(request, body)
