"""ImportService: what people have in other systems, taken over.

MUST 1: it is served on the admin socket alone, and to administrators alone: who may import may sign in as
        anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.enrollment.takeover import Fate, Offered
from nightlatch.errors import Invalid
from nightlatch.factor import ImportedCodes, ImportedSecret
from nightlatch.rpc.status import answered
from nightlatch.rpc.values import account_message
from nightlatch.v1 import import_pb2, import_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable

    import structlog

    from nightlatch.enrollment.takeover import Takeovers
    from nightlatch.rpc.caller import Caller, CallerAddresses

_OUTCOMES = {
    Fate.IMPORTED: import_pb2.IMPORT_OUTCOME_IMPORTED,
    Fate.PRESENT: import_pb2.IMPORT_OUTCOME_PRESENT,
    Fate.REFUSED: import_pb2.IMPORT_OUTCOME_REFUSED,
}


class ImportService(import_pb2_grpc.ImportServiceServicer):
    """Serves administrators who move people here."""

    def __init__(
        self,
        takeovers: Callable[[Caller], Takeovers],
        addresses: CallerAddresses,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._takeovers = takeovers
        self.addresses = addresses
        self.log = log

    @answered
    async def ImportCredentials(
        self, request: import_pb2.ImportCredentialsRequest, caller: Caller
    ) -> import_pb2.ImportCredentialsResponse:
        """Take over what one person has."""
        offered = tuple(_offered(one) for one in request.credentials)
        account, taken = await self._takeovers(caller).take(
            str(caller),
            request.user,
            offered,
            chosen=frozenset(request.factors),
            dry_run=request.dry_run,
        )
        stored = sum(one.fate is Fate.IMPORTED for one in taken)
        if stored and not request.dry_run:
            self.log.info("credentials.imported", account=account.id, count=stored, caller=str(caller))
        return import_pb2.ImportCredentialsResponse(
            account=account_message(account),
            results=[
                import_pb2.ImportResult(
                    outcome=_OUTCOMES[one.fate],
                    factor=one.factor,
                    credential_id=one.credential_id,
                    reason=one.reason,
                )
                for one in taken
            ],
        )


def _offered(message: import_pb2.ImportedCredential) -> Offered:
    match message.WhichOneof("kind"):
        case "shared_secret":
            shared = message.shared_secret
            what = ImportedSecret(shared.secret, shared.algorithm, shared.digits, shared.period_seconds)
            return Offered(message.label, what)
        case "single_use_codes":
            return Offered(message.label, ImportedCodes(tuple(message.single_use_codes.codes)))
        case _:
            raise Invalid("An imported credential has to be a shared secret or single-use codes.")
