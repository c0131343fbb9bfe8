"""What an administrator does with a person's credentials and limits. Every change has its audit row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.enrollment.asking import change
from nightlatch.errors import NotFound
from nightlatch.model import Account, Changes, Credential, DecisionRequest, Snapshot

if TYPE_CHECKING:
    from nightlatch.login.parts import Parts


class Administration:
    """Lists and removes credentials, and forgets failures."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def credentials(self, user: str) -> tuple[Account, tuple[Credential, ...]]:
        """A person's credentials, oldest first; raises NotFound, Unavailable."""
        account = await self._parts.accounts.get(user)
        return account, await self._parts.store.credentials(account.id)

    async def remove(self, caller: str, user: str, credential_id: str) -> Credential:
        """Remove one credential and return it; raises NotFound, Unavailable."""
        account = await self._parts.accounts.get(user)

        def body(snapshot: Snapshot) -> tuple[Changes, Credential]:
            found = next((one for one in snapshot.credentials if one.id == credential_id), None)
            if found is None:
                raise NotFound(
                    f"{account.name} has no credential {credential_id}. See: nightlatch credential list"
                )
            event = change("credential.remove", account, caller, found)
            return Changes(removed=(found.id,), events=(event,)), found

        removed = await self._parts.store.decide(DecisionRequest(account_id=account.id), body)
        self._parts.notices.tell(
            "notice_credential_removed", change("", account, caller, removed), removed.label
        )
        return removed

    async def unlock(self, caller: str, user: str) -> tuple[Account, int]:
        """Forget a person's second-factor failures; how many there were in a row.

        Raises NotFound, Unavailable.
        """
        account = await self._parts.accounts.get(user)
        scope = limits.factor_scope(account.id)

        def body(snapshot: Snapshot) -> tuple[Changes, int]:
            before = snapshot.limits[scope]
            event = change("account.unlock", account, caller)
            return Changes(limits={scope: limits.forget(before)}, events=(event,)), before.in_a_row

        return account, await self._parts.store.decide(DecisionRequest((scope,)), body)
