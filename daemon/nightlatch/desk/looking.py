"""How a person stands, as one read under the store's lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.model import Changes, DecisionRequest

if TYPE_CHECKING:
    from nightlatch.model import Account, Credential, LimitState, Snapshot, Standing
    from nightlatch.ports import Store


@dataclass(frozen=True, slots=True)
class UserView:
    """A person's account, and all that says whether they get in."""

    account: Account
    credentials: tuple[Credential, ...]
    limit: LimitState
    """What the limiter remembers of all second factors together."""
    standing: Standing
    now: float

    @property
    def locked_until(self) -> float | None:
        """Until when failures keep the person out; 0 for not, None for until somebody helps."""
        return limits.locked_until(self.limit, self.now)

    @property
    def failures_in_all(self) -> int:
        """Failures that still count."""
        return sum(1 for one in self.limit.failures if one > self.now - limits.MEMORY)

    @property
    def invite_until(self) -> float | None:
        """Until when an invite is open; None where none is."""
        standing = self.standing
        return (
            standing.invite_expires_at if standing.invite and self.now < standing.invite_expires_at else None
        )


async def look(store: Store, account: Account) -> UserView:
    """Read, and change nothing; raises Unavailable."""
    scope = limits.factor_scope(account.id)

    def body(snapshot: Snapshot) -> tuple[Changes, UserView]:
        view = UserView(
            account, snapshot.credentials, snapshot.limits[scope], snapshot.standing, snapshot.now
        )
        return Changes(), view

    return await store.decide(DecisionRequest((scope,), account.id, standing=True), body)
