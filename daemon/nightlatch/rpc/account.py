"""AccountService: turns calls into what a person does with their own account.

MUST 1: whose account it is, the session says: no message names a person after signing in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.account import Origin
from nightlatch.rpc.account_messages import overview_message
from nightlatch.rpc.convert import step_message
from nightlatch.rpc.status import answered
from nightlatch.rpc.values import begun_message
from nightlatch.v1 import account_pb2, account_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable

    import structlog

    from nightlatch.account import OwnAccounts
    from nightlatch.rpc.caller import Caller, CallerAddresses
    from nightlatch.v1 import login_pb2


class AccountService(account_pb2_grpc.AccountServiceServicer):
    """Serves people: on the account socket, and applications with the right to it."""

    def __init__(
        self,
        account: Callable[[Caller], OwnAccounts],
        addresses: CallerAddresses,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._account = account
        self.addresses = addresses
        self.log = log

    @answered
    async def BeginSession(
        self, request: account_pb2.BeginSessionRequest, caller: Caller
    ) -> account_pb2.BeginSessionResponse:
        """Begin to sign in."""
        origin = origin_of(request.origin, caller)
        step = await self._account(caller).signing_in.begin(
            str(caller), request.user, origin, draws_qr=request.draws_qr
        )
        return account_pb2.BeginSessionResponse(step=step_message(step))

    @answered
    async def AnswerSession(
        self, request: account_pb2.AnswerSessionRequest, caller: Caller
    ) -> account_pb2.AnswerSessionResponse:
        """Go on with signing in."""
        signed = await self._account(caller).signing_in.answer(str(caller), request.ticket, request.answer)
        return account_pb2.AnswerSessionResponse(
            step=step_message(signed.step), session=signed.bearer, session_seconds=int(signed.seconds)
        )

    @answered
    async def EndSession(
        self, request: account_pb2.EndSessionRequest, caller: Caller
    ) -> account_pb2.EndSessionResponse:
        """Sign out."""
        await self._account(caller).sessions.end(str(caller), request.session)
        return account_pb2.EndSessionResponse()

    @answered
    async def GetAccount(
        self, request: account_pb2.GetAccountRequest, caller: Caller
    ) -> account_pb2.GetAccountResponse:
        """Show the account."""
        return overview_message(await self._account(caller).things.overview(str(caller), request.session))

    @answered
    async def BeginProof(
        self, request: account_pb2.BeginProofRequest, caller: Caller
    ) -> account_pb2.BeginProofResponse:
        """Ask for a fresh proof."""
        step = await self._account(caller).signing_in.begin_proof(str(caller), request.session)
        return account_pb2.BeginProofResponse(step=step_message(step))

    @answered
    async def AnswerProof(
        self, request: account_pb2.AnswerProofRequest, caller: Caller
    ) -> account_pb2.AnswerProofResponse:
        """Go on with a proof."""
        signed = await self._account(caller).signing_in.answer_proof(
            str(caller), request.session, request.ticket, request.answer
        )
        return account_pb2.AnswerProofResponse(step=step_message(signed.step), session=signed.bearer)

    @answered
    async def BeginAdd(
        self, request: account_pb2.BeginAddRequest, caller: Caller
    ) -> account_pb2.BeginAddResponse:
        """Make a credential to be confirmed."""
        begun = await self._account(caller).things.begin_add(
            str(caller),
            request.session,
            request.factor,
            request.label,
            request.address,
            directory_address=request.directory_address,
        )
        return account_pb2.BeginAddResponse(enrollment=begun_message(begun))

    @answered
    async def ConfirmAdd(
        self, request: account_pb2.ConfirmAddRequest, caller: Caller
    ) -> account_pb2.ConfirmAddResponse:
        """Store a credential that its answer has proven."""
        credential_id = await self._account(caller).things.confirm_add(
            str(caller), request.session, request.ticket, request.answer
        )
        self.log.info("credential.added", credential=credential_id, caller=str(caller))
        return account_pb2.ConfirmAddResponse(credential_id=credential_id)

    @answered
    async def RenameOwnCredential(
        self, request: account_pb2.RenameOwnCredentialRequest, caller: Caller
    ) -> account_pb2.RenameOwnCredentialResponse:
        """Give a credential another name."""
        await self._account(caller).things.rename(
            str(caller), request.session, request.credential_id, request.label
        )
        return account_pb2.RenameOwnCredentialResponse()

    @answered
    async def RemoveOwnCredential(
        self, request: account_pb2.RemoveOwnCredentialRequest, caller: Caller
    ) -> account_pb2.RemoveOwnCredentialResponse:
        """Remove a credential or a device."""
        removed = await self._account(caller).things.remove(
            str(caller), request.session, request.credential_id
        )
        self.log.info(
            "credential.removed", credential=removed.id, account=removed.account_id, caller=str(caller)
        )
        return account_pb2.RemoveOwnCredentialResponse()

    @answered
    async def RevokeOwnDevices(
        self, request: account_pb2.RevokeOwnDevicesRequest, caller: Caller
    ) -> account_pb2.RevokeOwnDevicesResponse:
        """End the trust in all devices."""
        count = await self._account(caller).things.revoke_devices(str(caller), request.session)
        return account_pb2.RevokeOwnDevicesResponse(devices=count)

    @answered
    async def RegenerateRecoveryCodes(
        self, request: account_pb2.RegenerateRecoveryCodesRequest, caller: Caller
    ) -> account_pb2.RegenerateRecoveryCodesResponse:
        """Make new recovery codes."""
        begun = await self._account(caller).things.regenerate(str(caller), request.session)
        return account_pb2.RegenerateRecoveryCodesResponse(enrollment=begun_message(begun))

    @answered
    async def BeginSecurityEmail(
        self, request: account_pb2.BeginSecurityEmailRequest, caller: Caller
    ) -> account_pb2.BeginSecurityEmailResponse:
        """Send a code to a new security email."""
        begun = await self._account(caller).things.begin_security_mailbox(
            str(caller), request.session, request.address
        )
        return account_pb2.BeginSecurityEmailResponse(enrollment=begun_message(begun))

    @answered
    async def ChangePassword(
        self, request: account_pb2.ChangePasswordRequest, caller: Caller
    ) -> account_pb2.ChangePasswordResponse:
        """Change the directory's password."""
        old, new = request.old_password, request.new_password
        await self._account(caller).passwords.change(str(caller), request.session, old, new)
        return account_pb2.ChangePasswordResponse()

    @answered
    async def BeginReset(
        self, request: account_pb2.BeginResetRequest, caller: Caller
    ) -> account_pb2.BeginResetResponse:
        """Begin to set a forgotten password anew."""
        origin = origin_of(request.origin, caller)
        source = origin.source or origin.terminal
        step = await self._account(caller).resets.begin(str(caller), request.user, source)
        return account_pb2.BeginResetResponse(step=step_message(step))

    @answered
    async def AnswerReset(
        self, request: account_pb2.AnswerResetRequest, caller: Caller
    ) -> account_pb2.AnswerResetResponse:
        """Go on with a reset."""
        step = await self._account(caller).resets.answer(str(caller), request.ticket, request.answer)
        return account_pb2.AnswerResetResponse(step=step_message(step))


def origin_of(message: login_pb2.Origin, caller: Caller) -> Origin:
    """Where a person is: what the caller says where it may, else where the caller itself is."""
    if caller.rights.sets_source:
        return Origin(message.remote_host, message.terminal)
    return Origin(caller.address, "" if caller.address else caller.name)
