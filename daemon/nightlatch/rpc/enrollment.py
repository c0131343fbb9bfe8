"""EnrollmentService: turns calls into enrolments and removals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.rpc.status import answered
from nightlatch.rpc.values import begun_message
from nightlatch.v1 import enrollment_pb2, enrollment_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable

    import structlog

    from nightlatch.enrollment import Enrollments, Removals
    from nightlatch.rpc.caller import Caller, CallerAddresses


class EnrollmentService(enrollment_pb2_grpc.EnrollmentServiceServicer):
    """Serves administrators: on the admin socket, and applications with the right to it."""

    def __init__(
        self,
        enrollments: Callable[[Caller], Enrollments],
        removals: Callable[[Caller], Removals],
        addresses: CallerAddresses,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._enrollments = enrollments
        self._removals = removals
        self.addresses = addresses
        self.log = log

    @answered
    async def BeginEnrollment(
        self, request: enrollment_pb2.BeginEnrollmentRequest, caller: Caller
    ) -> enrollment_pb2.BeginEnrollmentResponse:
        """Make a credential to be confirmed."""
        begun = await self._enrollments(caller).begin(
            str(caller),
            request.user,
            request.factor,
            request.label,
            request.address,
            directory_address=request.directory_address,
        )
        return begun_message(begun)

    @answered
    async def ConfirmEnrollment(
        self, request: enrollment_pb2.ConfirmEnrollmentRequest, caller: Caller
    ) -> enrollment_pb2.ConfirmEnrollmentResponse:
        """Store a credential that its answer has proven."""
        credential_id = await self._enrollments(caller).confirm(str(caller), request.ticket, request.answer)
        self.log.info("credential.added", credential=credential_id, caller=str(caller))
        return enrollment_pb2.ConfirmEnrollmentResponse(credential_id=credential_id)

    @answered
    async def BeginRemoval(
        self, request: enrollment_pb2.BeginRemovalRequest, caller: Caller
    ) -> enrollment_pb2.BeginRemovalResponse:
        """Ask for the proof of a credential that shall go."""
        asked = await self._removals(caller).begin(str(caller), request.user, request.credential_id)
        return enrollment_pb2.BeginRemovalResponse(ticket=asked.ticket, prompt=asked.prompt)

    @answered
    async def ConfirmRemoval(
        self, request: enrollment_pb2.ConfirmRemovalRequest, caller: Caller
    ) -> enrollment_pb2.ConfirmRemovalResponse:
        """Remove a credential that its answer has proven."""
        removed = await self._removals(caller).confirm(str(caller), request.ticket, request.answer)
        self.log.info(
            "credential.removed", credential=removed.id, account=removed.account_id, caller=str(caller)
        )
        return enrollment_pb2.ConfirmRemovalResponse(credential_id=removed.id)
