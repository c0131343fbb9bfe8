"""AccountService: turns calls into what a person does with their own account.

MUST 1: whose account it is, the session says: no message names a person after signing in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nightlatch.account import Origin
from nightlatch.rpc.account_messages import begun_message, overview_message
from nightlatch.rpc.convert import step_message
from nightlatch.rpc.status import answered
from nightlatch.v1 import account_pb2, account_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc
    import structlog

    from nightlatch.account import OwnAccounts
    from nightlatch.rpc.caller import Caller, CallerAddresses
    from nightlatch.v1 import login_pb2

    Context = grpc.aio.ServicerContext[Any, Any]


class AccountService(account_pb2_grpc.AccountServiceServicer):
    """Serves people: on the account socket, and applications with the right to it."""

    def __init__(
        self,
        account: Callable[[Caller], OwnAccounts],
        addresses: CallerAddresses,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._account = account
        self._addresses = addresses
        self.log = log

    @answered
    async def BeginSession(  # noqa: N802, the API's name
        self, request: account_pb2.BeginSessionRequest, context: Context
    ) -> account_pb2.BeginSessionResponse:
        """Begin to sign in."""
        caller, account = self._for(context)
        origin = origin_of(request.origin, caller)
        step = await account.signing_in.begin(str(caller), request.user, origin, draws_qr=request.draws_qr)
        return account_pb2.BeginSessionResponse(step=step_message(step))

    @answered
    async def AnswerSession(  # noqa: N802, the API's name
        self, request: account_pb2.AnswerSessionRequest, context: Context
    ) -> account_pb2.AnswerSessionResponse:
        """Go on with signing in."""
        caller, account = self._for(context)
        signed = await account.signing_in.answer(str(caller), request.ticket, request.answer)
        return account_pb2.AnswerSessionResponse(
            step=step_message(signed.step), session=signed.bearer, session_seconds=int(signed.seconds)
        )

    @answered
    async def EndSession(  # noqa: N802, the API's name
        self, request: account_pb2.EndSessionRequest, context: Context
    ) -> account_pb2.EndSessionResponse:
        """Sign out."""
        caller, account = self._for(context)
        await account.sessions.end(str(caller), request.session)
        return account_pb2.EndSessionResponse()

    @answered
    async def GetAccount(  # noqa: N802, the API's name
        self, request: account_pb2.GetAccountRequest, context: Context
    ) -> account_pb2.GetAccountResponse:
        """Show the account."""
        caller, account = self._for(context)
        return overview_message(await account.things.overview(str(caller), request.session))

    @answered
    async def BeginProof(  # noqa: N802, the API's name
        self, request: account_pb2.BeginProofRequest, context: Context
    ) -> account_pb2.BeginProofResponse:
        """Ask for a fresh proof."""
        caller, account = self._for(context)
        step = await account.signing_in.begin_proof(str(caller), request.session)
        return account_pb2.BeginProofResponse(step=step_message(step))

    @answered
    async def AnswerProof(  # noqa: N802, the API's name
        self, request: account_pb2.AnswerProofRequest, context: Context
    ) -> account_pb2.AnswerProofResponse:
        """Go on with a proof."""
        caller, account = self._for(context)
        signed = await account.signing_in.answer_proof(
            str(caller), request.session, request.ticket, request.answer
        )
        return account_pb2.AnswerProofResponse(step=step_message(signed.step), session=signed.bearer)

    @answered
    async def BeginAdd(  # noqa: N802, the API's name
        self, request: account_pb2.BeginAddRequest, context: Context
    ) -> account_pb2.BeginAddResponse:
        """Make a credential to be confirmed."""
        caller, account = self._for(context)
        begun = await account.things.begin_add(
            str(caller),
            request.session,
            request.factor,
            request.label,
            request.address,
            directory_address=request.directory_address,
        )
        return account_pb2.BeginAddResponse(enrollment=begun_message(begun))

    @answered
    async def ConfirmAdd(  # noqa: N802, the API's name
        self, request: account_pb2.ConfirmAddRequest, context: Context
    ) -> account_pb2.ConfirmAddResponse:
        """Store a credential that its answer has proven."""
        caller, account = self._for(context)
        credential_id = await account.things.confirm_add(
            str(caller), request.session, request.ticket, request.answer
        )
        self.log.info("credential.added", credential=credential_id, caller=str(caller))
        return account_pb2.ConfirmAddResponse(credential_id=credential_id)

    @answered
    async def RenameOwnCredential(  # noqa: N802, the API's name
        self, request: account_pb2.RenameOwnCredentialRequest, context: Context
    ) -> account_pb2.RenameOwnCredentialResponse:
        """Give a credential another name."""
        caller, account = self._for(context)
        await account.things.rename(str(caller), request.session, request.credential_id, request.label)
        return account_pb2.RenameOwnCredentialResponse()

    @answered
    async def RemoveOwnCredential(  # noqa: N802, the API's name
        self, request: account_pb2.RemoveOwnCredentialRequest, context: Context
    ) -> account_pb2.RemoveOwnCredentialResponse:
        """Remove a credential or a device."""
        caller, account = self._for(context)
        removed = await account.things.remove(str(caller), request.session, request.credential_id)
        self.log.info(
            "credential.removed", credential=removed.id, account=removed.account_id, caller=str(caller)
        )
        return account_pb2.RemoveOwnCredentialResponse()

    @answered
    async def RevokeOwnDevices(  # noqa: N802, the API's name
        self, request: account_pb2.RevokeOwnDevicesRequest, context: Context
    ) -> account_pb2.RevokeOwnDevicesResponse:
        """End the trust in all devices."""
        caller, account = self._for(context)
        count = await account.things.revoke_devices(str(caller), request.session)
        return account_pb2.RevokeOwnDevicesResponse(devices=count)

    @answered
    async def RegenerateRecoveryCodes(  # noqa: N802, the API's name
        self, request: account_pb2.RegenerateRecoveryCodesRequest, context: Context
    ) -> account_pb2.RegenerateRecoveryCodesResponse:
        """Make new recovery codes."""
        caller, account = self._for(context)
        begun = await account.things.regenerate(str(caller), request.session)
        return account_pb2.RegenerateRecoveryCodesResponse(enrollment=begun_message(begun))

    @answered
    async def BeginSecurityEmail(  # noqa: N802, the API's name
        self, request: account_pb2.BeginSecurityEmailRequest, context: Context
    ) -> account_pb2.BeginSecurityEmailResponse:
        """Send a code to a new security email."""
        caller, account = self._for(context)
        begun = await account.things.begin_security_mailbox(str(caller), request.session, request.address)
        return account_pb2.BeginSecurityEmailResponse(enrollment=begun_message(begun))

    @answered
    async def ChangePassword(  # noqa: N802, the API's name
        self, request: account_pb2.ChangePasswordRequest, context: Context
    ) -> account_pb2.ChangePasswordResponse:
        """Change the directory's password."""
        caller, account = self._for(context)
        old, new = request.old_password, request.new_password
        await account.passwords.change(str(caller), request.session, old, new)
        return account_pb2.ChangePasswordResponse()

    @answered
    async def BeginReset(  # noqa: N802, the API's name
        self, request: account_pb2.BeginResetRequest, context: Context
    ) -> account_pb2.BeginResetResponse:
        """Begin to set a forgotten password anew."""
        caller, account = self._for(context)
        origin = origin_of(request.origin, caller)
        source = origin.source or origin.terminal
        step = await account.resets.begin(str(caller), request.user, source)
        return account_pb2.BeginResetResponse(step=step_message(step))

    @answered
    async def AnswerReset(  # noqa: N802, the API's name
        self, request: account_pb2.AnswerResetRequest, context: Context
    ) -> account_pb2.AnswerResetResponse:
        """Go on with a reset."""
        caller, account = self._for(context)
        step = await account.resets.answer(str(caller), request.ticket, request.answer)
        return account_pb2.AnswerResetResponse(step=step_message(step))

    def _for(self, context: Context) -> tuple[Caller, OwnAccounts]:
        caller = self._addresses.caller(context.peer())
        return caller, self._account(caller)


def origin_of(message: login_pb2.Origin, caller: Caller) -> Origin:
    """Where a person is: what the caller says where it may, else where the caller itself is."""
    if caller.rights.sets_source:
        return Origin(message.remote_host, message.terminal)
    return Origin(caller.address, "" if caller.address else caller.name)
