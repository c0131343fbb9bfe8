"""AdminService: what an administrator asks on the daemon's own host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.timestamp_pb2 import Timestamp

from nightlatch.rpc.status import answered
from nightlatch.v1 import admin_pb2, admin_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import grpc
    import structlog

    from nightlatch.administration import Administration
    from nightlatch.model import Account, Credential
    from nightlatch.rpc.caller import Caller, CallerAddresses

    Context = grpc.aio.ServicerContext[Any, Any]


class AdminService(admin_pb2_grpc.AdminServiceServicer):
    """Serves administrators: on the admin socket, and applications with the right to it."""

    def __init__(
        self,
        administration: Callable[[Caller], Administration],
        status: Callable[[], Awaitable[admin_pb2.GetStatusResponse]],
        addresses: CallerAddresses,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._administration = administration
        self._status = status
        self._addresses = addresses
        self.log = log

    @answered
    async def GetStatus(  # noqa: N802, the API's name
        self,
        request: admin_pb2.GetStatusRequest,  # noqa: ARG002, an empty message
        context: Context,
    ) -> admin_pb2.GetStatusResponse:
        """Tell how the daemon is."""
        self._addresses.caller(context.peer())
        return await self._status()

    @answered
    async def ListCredentials(  # noqa: N802, the API's name
        self, request: admin_pb2.ListCredentialsRequest, context: Context
    ) -> admin_pb2.ListCredentialsResponse:
        """List a person's credentials."""
        administration = self._administration(self._addresses.caller(context.peer()))
        account, credentials = await administration.credentials(request.user)
        listed = [credential_message(administration, one) for one in credentials]
        return admin_pb2.ListCredentialsResponse(account=account_message(account), credentials=listed)

    @answered
    async def RemoveCredential(  # noqa: N802, the API's name
        self, request: admin_pb2.RemoveCredentialRequest, context: Context
    ) -> admin_pb2.RemoveCredentialResponse:
        """Remove a credential."""
        caller = self._addresses.caller(context.peer())
        removed = await self._administration(caller).remove(str(caller), request.user, request.credential_id)
        self.log.info(
            "credential.removed", credential=removed.id, account=removed.account_id, caller=str(caller)
        )
        return admin_pb2.RemoveCredentialResponse(
            credential=credential_message(self._administration(caller), removed)
        )

    @answered
    async def RenameCredential(  # noqa: N802, the API's name
        self, request: admin_pb2.RenameCredentialRequest, context: Context
    ) -> admin_pb2.RenameCredentialResponse:
        """Give a credential another name."""
        caller = self._addresses.caller(context.peer())
        renamed = await self._administration(caller).rename(
            str(caller), request.user, request.credential_id, request.label
        )
        return admin_pb2.RenameCredentialResponse(
            credential=credential_message(self._administration(caller), renamed)
        )

    @answered
    async def RevokeDevices(  # noqa: N802, the API's name
        self, request: admin_pb2.RevokeDevicesRequest, context: Context
    ) -> admin_pb2.RevokeDevicesResponse:
        """End the trust in all of a person's devices."""
        caller = self._addresses.caller(context.peer())
        revoked = await self._administration(caller).revoke_devices(str(caller), request.user)
        self.log.info("devices.revoked", devices=len(revoked), caller=str(caller))
        return admin_pb2.RevokeDevicesResponse(
            devices=[credential_message(self._administration(caller), one) for one in revoked]
        )

    @answered
    async def TestChannel(  # noqa: N802, the API's name
        self, request: admin_pb2.TestChannelRequest, context: Context
    ) -> admin_pb2.TestChannelResponse:
        """Send one message by a channel."""
        caller = self._addresses.caller(context.peer())
        receipt = await self._administration(caller).test_channel(request.channel, request.address)
        return admin_pb2.TestChannelResponse(provider_id=receipt.provider_id)

    @answered
    async def UnlockAccount(  # noqa: N802, the API's name
        self, request: admin_pb2.UnlockAccountRequest, context: Context
    ) -> admin_pb2.UnlockAccountResponse:
        """Forget a person's failures."""
        caller = self._addresses.caller(context.peer())
        account, forgotten = await self._administration(caller).unlock(str(caller), request.user)
        self.log.info("account.unlocked", account=account.id, forgotten=forgotten, caller=str(caller))
        return admin_pb2.UnlockAccountResponse(account=account_message(account), forgotten_failures=forgotten)

    @answered
    async def CreateInvite(  # noqa: N802, the API's name
        self, request: admin_pb2.CreateInviteRequest, context: Context
    ) -> admin_pb2.CreateInviteResponse:
        """Make an invite."""
        caller = self._addresses.caller(context.peer())
        invite = await self._administration(caller).invites.create(str(caller), request.user, request.days)
        self.log.info("invite.created", account=invite.account.id, caller=str(caller))
        return admin_pb2.CreateInviteResponse(
            account=account_message(invite.account),
            invite=invite.text.reveal(),
            expire_time=timestamp(invite.expires_at),
        )

    @answered
    async def RevokeInvite(  # noqa: N802, the API's name
        self, request: admin_pb2.RevokeInviteRequest, context: Context
    ) -> admin_pb2.RevokeInviteResponse:
        """End a person's open invite."""
        caller = self._addresses.caller(context.peer())
        account, revoked = await self._administration(caller).invites.revoke(str(caller), request.user)
        self.log.info("invite.revoked", account=account.id, caller=str(caller))
        return admin_pb2.RevokeInviteResponse(account=account_message(account), revoked=revoked)


def credential_message(administration: Administration, credential: Credential) -> admin_pb2.Credential:
    """A credential without its state."""
    used = credential.last_used_at
    return admin_pb2.Credential(
        id=credential.id,
        factor=credential.factor,
        label=credential.label,
        create_time=timestamp(credential.created_at),
        last_use_time=None if used is None else timestamp(used),
        device=administration.is_device(credential),
        expire_time=None if credential.expires_at is None else timestamp(credential.expires_at),
    )


def account_message(account: Account) -> admin_pb2.Account:
    """An account as the API's message."""
    return admin_pb2.Account(directory=account.directory, stable_id=account.stable_id, name=account.name)


def timestamp(seconds: float) -> Timestamp:
    """Unix seconds as the API's time."""
    return Timestamp(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))
