"""What an administrator does with a person's credentials and limits. Every change has its audit row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.channel import Message, NotSent
from nightlatch.enrollment.asking import change
from nightlatch.enrollment.enroll import MAX_LABEL
from nightlatch.errors import Conflict, Invalid, NotFound, Refused
from nightlatch.login.hold import after_removing, on_hold
from nightlatch.model import Account, Changes, Credential, DecisionRequest, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nightlatch.channel import Receipt
    from nightlatch.enrollment import Invites
    from nightlatch.login.parts import Parts
    from nightlatch.plugins.channel_facade import ChannelFacade

TEST_SECONDS = 12.0


class Administration:
    """Lists and removes credentials, and forgets failures."""

    def __init__(self, parts: Parts, channels: Mapping[str, ChannelFacade], invites: Invites) -> None:
        self._parts = parts
        self.invites = invites
        self._channels = channels

    async def credentials(self, user: str) -> tuple[Account, tuple[Credential, ...]]:
        """A person's credentials, oldest first; raises NotFound, Unavailable."""
        account = await self._parts.accounts.get(user)
        return account, await self._parts.store.credentials(account.id)

    async def holds(self, account: Account) -> dict[str, float]:
        """Until when each of a person's credentials that is on hold is so, by its id; raises Unavailable."""
        return on_hold(await self._parts.store.standing(account.id), self._parts.clock.now())

    async def remove(self, caller: str, user: str, credential_id: str) -> Credential:
        """Remove one credential and return it; raises NotFound, Unavailable."""
        account = await self._parts.accounts.get(user)

        def body(snapshot: Snapshot) -> tuple[Changes, Credential]:
            found = next((one for one in snapshot.credentials if one.id == credential_id), None)
            if found is None:
                raise NotFound(
                    f"{account.name} has no credential {credential_id}. See: nightlatch credential list"
                )
            event = change(self._removal(found), account, caller, found)
            standing = after_removing(snapshot.standing, self._parts.factors, (found,))
            return Changes(removed=(found.id,), standing=standing, events=(event,)), found

        request = DecisionRequest(account_id=account.id, standing=True)
        removed = await self._parts.store.decide(request, body)
        event = change(self._removal(removed), account, caller, removed)
        template = "notice_device_revoked" if self.is_device(removed) else "notice_credential_removed"
        self._parts.notices.tell(template, event, removed.label, gone=(removed,))
        return removed

    async def unlock(self, caller: str, user: str) -> tuple[Account, int]:
        """Forget a person's second-factor failures; how many there were in a row.

        Raises NotFound, Unavailable; Conflict where an administrator keeps the person out.
        """
        account = await self._parts.accounts.get(user)
        scope = limits.factor_scope(account.id)

        def body(snapshot: Snapshot) -> tuple[Changes, int]:
            before = snapshot.limits[scope]
            if before.barred:
                raise Conflict(f"{account.name} is disabled. See: nightlatch admin user enable")
            event = change("account.unlock", account, caller)
            return Changes(limits={scope: limits.forget(before)}, events=(event,)), before.in_a_row

        return account, await self._parts.store.decide(DecisionRequest((scope,)), body)

    async def rename(self, caller: str, user: str, credential_id: str, label: str) -> Credential:
        """Give a credential another name; raises Invalid, NotFound, Unavailable."""
        if not 1 <= len(label) <= MAX_LABEL or not label.isprintable():
            raise Invalid(f"A credential's name has 1 to {MAX_LABEL} printable characters.")
        account = await self._parts.accounts.get(user)

        def body(snapshot: Snapshot) -> tuple[Changes, Credential]:
            found = next((one for one in snapshot.credentials if one.id == credential_id), None)
            if found is None:
                raise NotFound(f"{account.name} has no credential {credential_id}.")
            if any(one.label == label and one.factor == found.factor for one in snapshot.credentials):
                raise Conflict(f'{account.name} has a credential "{label}" already. Choose another name.')
            renamed = replace(found, label=label)
            return Changes(
                put=(renamed,), events=(change("credential.rename", account, caller, found),)
            ), renamed

        return await self._parts.store.decide(DecisionRequest(account_id=account.id), body)

    async def revoke_devices(self, caller: str, user: str) -> tuple[Credential, ...]:
        """End the trust in all of a person's devices; raises NotFound, Unavailable."""
        account = await self._parts.accounts.get(user)

        def body(snapshot: Snapshot) -> tuple[Changes, tuple[Credential, ...]]:
            devices = tuple(one for one in snapshot.credentials if self.is_device(one))
            events = tuple(change("device.revoke", account, caller, one) for one in devices)
            return Changes(removed=tuple(one.id for one in devices), events=events), devices

        devices = await self._parts.store.decide(DecisionRequest(account_id=account.id), body)
        for device in devices:
            event = change("device.revoke", account, caller, device)
            self._parts.notices.tell("notice_device_revoked", event, device.label)
        return devices

    def _removal(self, credential: Credential) -> str:
        """What the audit calls the end of a credential."""
        return "device.revoke" if self.is_device(credential) else "credential.remove"

    def is_device(self, credential: Credential) -> bool:
        """Whether a credential only spares a prompt."""
        facade = self._parts.factors.get(credential.factor)
        return facade is not None and facade.plugin.silent

    async def test_channel(self, name: str, address: str) -> Receipt:
        """Send one message by a channel; raises NotFound, and Refused in the provider's words."""
        channel = self._channels.get(name)
        if channel is None:
            known = ", ".join(sorted(self._channels)) or "none is configured"
            raise NotFound(f'There is no channel "{name}". Known: {known}.')
        try:
            return await channel.send(address, Message("test", {}), TEST_SECONDS)
        except NotSent as error:
            raise Refused(f"{name}: {error.reason}") from None
