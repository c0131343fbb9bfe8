"""AdminService: credentials, locks, invites, channels and keys, for administrators and helpdesks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.rpc.caller import Forbidden
from nightlatch.rpc.status import answered
from nightlatch.rpc.values import account_message, timestamp
from nightlatch.v1 import admin_pb2, admin_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import structlog

    from nightlatch.administration import Administration
    from nightlatch.login.receipt_rotation import ReceiptRotation
    from nightlatch.model import Credential
    from nightlatch.rpc.caller import Caller, CallerAddresses


_FOR_EVERYBODY = frozenset({"store", "factor", "health"})
"""The kinds of parts that whoever may read the status may read of, whatever directories are theirs."""
_EVERYBODYS = (
    "{} acts for some directories, and {} are everybody's: do it on the daemon's host, with: nightlatch {}"
)


class AdminService(admin_pb2_grpc.AdminServiceServicer):
    """Serves administrators: on the admin socket, and applications with the right to it."""

    def __init__(
        self,
        administration: Callable[[Caller], Administration],
        rotation: Callable[[], ReceiptRotation],
        status: Callable[[], Awaitable[admin_pb2.GetStatusResponse]],
        addresses: CallerAddresses,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._administration = administration
        self._rotation = rotation
        self._status = status
        self.addresses = addresses
        self.log = log

    @answered
    async def GetStatus(
        self,
        request: admin_pb2.GetStatusRequest,
        caller: Caller,
    ) -> admin_pb2.GetStatusResponse:
        """Tell how the daemon is."""
        return narrowed(await self._status(), caller.rights.directories)

    @answered
    async def ListCredentials(
        self, request: admin_pb2.ListCredentialsRequest, caller: Caller
    ) -> admin_pb2.ListCredentialsResponse:
        """List a person's credentials."""
        administration = self._administration(caller)
        account, credentials = await administration.credentials(request.user)
        holds = await administration.holds(account)
        listed = [credential_message(administration, one, holds) for one in credentials]
        return admin_pb2.ListCredentialsResponse(account=account_message(account), credentials=listed)

    @answered
    async def RemoveCredential(
        self, request: admin_pb2.RemoveCredentialRequest, caller: Caller
    ) -> admin_pb2.RemoveCredentialResponse:
        """Remove a credential."""
        removed = await self._administration(caller).remove(str(caller), request.user, request.credential_id)
        self.log.info(
            "credential.removed", credential=removed.id, account=removed.account_id, caller=str(caller)
        )
        return admin_pb2.RemoveCredentialResponse(
            credential=credential_message(self._administration(caller), removed)
        )

    @answered
    async def RenameCredential(
        self, request: admin_pb2.RenameCredentialRequest, caller: Caller
    ) -> admin_pb2.RenameCredentialResponse:
        """Give a credential another name."""
        renamed = await self._administration(caller).rename(
            str(caller), request.user, request.credential_id, request.label
        )
        return admin_pb2.RenameCredentialResponse(
            credential=credential_message(self._administration(caller), renamed)
        )

    @answered
    async def RevokeDevices(
        self, request: admin_pb2.RevokeDevicesRequest, caller: Caller
    ) -> admin_pb2.RevokeDevicesResponse:
        """End the trust in all of a person's devices."""
        revoked = await self._administration(caller).revoke_devices(str(caller), request.user)
        self.log.info("devices.revoked", devices=len(revoked), caller=str(caller))
        return admin_pb2.RevokeDevicesResponse(
            devices=[credential_message(self._administration(caller), one) for one in revoked]
        )

    @answered
    async def TestChannel(
        self, request: admin_pb2.TestChannelRequest, caller: Caller
    ) -> admin_pb2.TestChannelResponse:
        """Send one message by a channel."""
        if caller.rights.directories is not None:
            raise Forbidden(_EVERYBODYS.format(caller.name, "channels", "channel test"))
        receipt = await self._administration(caller).test_channel(request.channel, request.address)
        return admin_pb2.TestChannelResponse(provider_id=receipt.provider_id)

    @answered
    async def UnlockAccount(
        self, request: admin_pb2.UnlockAccountRequest, caller: Caller
    ) -> admin_pb2.UnlockAccountResponse:
        """Forget a person's failures."""
        account, forgotten = await self._administration(caller).unlock(str(caller), request.user)
        self.log.info("account.unlocked", account=account.id, forgotten=forgotten, caller=str(caller))
        return admin_pb2.UnlockAccountResponse(account=account_message(account), forgotten_failures=forgotten)

    @answered
    async def CreateInvite(
        self, request: admin_pb2.CreateInviteRequest, caller: Caller
    ) -> admin_pb2.CreateInviteResponse:
        """Make an invite."""
        invite = await self._administration(caller).invites.create(str(caller), request.user, request.days)
        self.log.info("invite.created", account=invite.account.id, caller=str(caller))
        return admin_pb2.CreateInviteResponse(
            account=account_message(invite.account),
            invite=invite.text.reveal(),
            expire_time=timestamp(invite.expires_at),
        )

    @answered
    async def RevokeInvite(
        self, request: admin_pb2.RevokeInviteRequest, caller: Caller
    ) -> admin_pb2.RevokeInviteResponse:
        """End a person's open invite."""
        account, revoked = await self._administration(caller).invites.revoke(str(caller), request.user)
        self.log.info("invite.revoked", account=account.id, caller=str(caller))
        return admin_pb2.RevokeInviteResponse(account=account_message(account), revoked=revoked)

    @answered
    async def GetReceiptKeys(
        self,
        request: admin_pb2.GetReceiptKeysRequest,
        caller: Caller,
    ) -> admin_pb2.GetReceiptKeysResponse:
        """Tell which keys sign receipts."""
        return admin_pb2.GetReceiptKeysResponse(keys=receipt_keys_message(self._rotation()))

    @answered
    async def RotateReceiptKeys(
        self, request: admin_pb2.RotateReceiptKeysRequest, caller: Caller
    ) -> admin_pb2.RotateReceiptKeysResponse:
        """Let the next key sign receipts."""
        if caller.rights.directories is not None:
            raise Forbidden(_EVERYBODYS.format(caller.name, "the keys of receipts", "admin receipts rotate"))
        rotation = self._rotation()
        await rotation.rotate(str(caller), at_once=request.at_once)
        self.log.info(
            "receipts.rotated", key=rotation.keys.current.id, at_once=request.at_once, caller=str(caller)
        )
        return admin_pb2.RotateReceiptKeysResponse(keys=receipt_keys_message(rotation))


def narrowed(
    status: admin_pb2.GetStatusResponse, directories: frozenset[str] | None
) -> admin_pb2.GetStatusResponse:
    """What a caller reads of it that may name people of these directories alone; None for all.

    Other directories do not exist for it, and what listens, sends and works on the host is not its own.
    """
    if directories is None:
        return status
    parts = [
        admin_pb2.Part(kind=part.kind, name=part.name, healthy=part.healthy, detail=detail)
        for part in status.parts
        for detail in [part.detail if part.kind != "store" else ""]
        if part.kind in _FOR_EVERYBODY or (part.kind == "directory" and part.name in directories)
    ]
    return admin_pb2.GetStatusResponse(version=status.version, start_time=status.start_time, parts=parts)


def receipt_keys_message(rotation: ReceiptRotation) -> admin_pb2.ReceiptKeys:
    """The keys by their ids, and the times of the last rotation."""
    keys, now = rotation.keys, rotation.clock.now()
    generation, previous = keys.generation, keys.previous(now)
    return admin_pb2.ReceiptKeys(
        current_key_id=keys.current.id,
        current_since_time=timestamp(generation.since or None),
        next_key_id=keys.next.id,
        next_ready_time=timestamp(generation.next_at or None),
        previous_key_id=previous.id if previous else "",
        previous_end_time=timestamp(generation.late_until) if previous else None,
    )


def credential_message(
    administration: Administration, credential: Credential, holds: Mapping[str, float] | None = None
) -> admin_pb2.Credential:
    """A credential without its state; `holds` is `Administration.holds`, where it is known."""
    return admin_pb2.Credential(
        id=credential.id,
        factor=credential.factor,
        label=credential.label,
        create_time=timestamp(credential.created_at),
        last_use_time=timestamp(credential.last_used_at),
        device=administration.is_device(credential),
        expire_time=timestamp(credential.expires_at),
        hold_end_time=timestamp((holds or {}).get(credential.id)),
    )
