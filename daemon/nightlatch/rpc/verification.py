"""VerificationService and KeyService: turn calls into the core's, and its verdicts into messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nightlatch.errors import Invalid
from nightlatch.login.receipt_keys import MAX_AGE
from nightlatch.rpc.caller import Forbidden
from nightlatch.rpc.convert import evidence_of
from nightlatch.rpc.status import answered, mapped
from nightlatch.v1 import keys_pb2, keys_pb2_grpc, verification_pb2, verification_pb2_grpc
from nightlatch.verification import Verification, VerificationRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc
    import structlog

    from nightlatch.login.receipt import Receipts
    from nightlatch.rpc.caller import Caller, CallerAddresses
    from nightlatch.verification import Verifications

    Context = grpc.aio.ServicerContext[Any, Any]
    Message = (
        verification_pb2.VerifyCodeRequest
        | verification_pb2.SendCodeRequest
        | verification_pb2.CheckDeviceRequest
    )

MAX_CODE = 256
_VERDICTS = {
    Verification.VERIFIED: verification_pb2.VERIFICATION_VERIFIED,
    Verification.WRONG: verification_pb2.VERIFICATION_WRONG,
    Verification.LOCKED: verification_pb2.VERIFICATION_LOCKED,
    Verification.NOT_ENROLLED: verification_pb2.VERIFICATION_NOT_ENROLLED,
}


class VerificationService(verification_pb2_grpc.VerificationServiceServicer):
    """Serves verifications among the people that a caller may name."""

    def __init__(
        self,
        verifications: Callable[[Caller], Verifications],
        addresses: CallerAddresses,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._verifications = verifications
        self.addresses = addresses
        self.log = log

    @answered
    async def VerifyCode(
        self, request: verification_pb2.VerifyCodeRequest, caller: Caller
    ) -> verification_pb2.VerifyCodeResponse:
        """Check a code."""
        code = request.code.encode()
        if not 1 <= len(code) <= MAX_CODE:
            raise Invalid(f"code must have 1 to {MAX_CODE} characters")
        asked = _request(request, caller, request.request_id)
        answer = await self._verifications(caller).code(
            str(caller), asked, code, request.ticket, receipt=request.wants_receipt
        )
        return verification_pb2.VerifyCodeResponse(
            verification=_VERDICTS[answer.verified.verification],
            factor=answer.verified.factor if answer.user else "",
            user=answer.user,
            retry_after_seconds=int(-(-answer.verified.retry_after // 1)),
            message=answer.verified.message,
            reference=answer.reference,
            receipt=answer.receipt,
            ticket=answer.ticket,
        )

    @answered
    async def SendCode(
        self, request: verification_pb2.SendCodeRequest, caller: Caller
    ) -> verification_pb2.SendCodeResponse:
        """Send a code."""
        sent = await self._verifications(caller).send(
            str(caller), _request(request, caller), request.factor, request.credential_id
        )
        return verification_pb2.SendCodeResponse(ticket=sent.ticket, prompt=sent.prompt)

    @answered
    async def CheckDevice(
        self, request: verification_pb2.CheckDeviceRequest, caller: Caller
    ) -> verification_pb2.CheckDeviceResponse:
        """Tell whether a device is trusted."""
        evidence = evidence_of(request.evidence, caller)
        asked = _request(request, caller, evidence=evidence)
        answer = await self._verifications(caller).device(str(caller), asked, receipt=request.wants_receipt)
        return verification_pb2.CheckDeviceResponse(
            verification=_VERDICTS[answer.verified.verification],
            device_token=answer.verified.device_token,
            receipt=answer.receipt,
            reference=answer.reference,
        )


class KeyService(keys_pb2_grpc.KeyServiceServicer):
    """Tells the public keys of receipts, to whoever the guard lets ask."""

    def __init__(self, receipts: Callable[[], Receipts], log: structlog.stdlib.BoundLogger) -> None:
        self._receipts = receipts
        self.log = log

    @mapped
    async def GetKeys(
        self,
        request: keys_pb2.GetKeysRequest,
        context: Context,
    ) -> keys_pb2.GetKeysResponse:
        """Tell the keys."""
        receipts = self._receipts()
        return keys_pb2.GetKeysResponse(
            jwks=receipts.key_set(), issuer=receipts.issuer, max_age_seconds=MAX_AGE
        )


def _request(
    message: Message, caller: Caller, request_id: str = "", evidence: tuple[str, ...] = ()
) -> VerificationRequest:
    """What a message asks, as far as its caller may; raises Forbidden, Invalid."""
    service = message.service or caller.name
    if not caller.may_act_for(service):
        raise Forbidden(
            f"{caller.name} may not verify people for that service. See services in its [[clients]] table."
        )
    return VerificationRequest(
        message.user,
        service,
        message.origin.remote_host if caller.rights.sets_source else caller.address,
        request_id,
        caller.rights.knows_enrollment,
        evidence,
    )
