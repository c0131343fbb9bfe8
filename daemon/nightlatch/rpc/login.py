"""LoginService: turns calls into the engine's, and its steps into messages.

MUST: no login comes from the PAM service that checks local passwords: the daemon would ask itself, ever
      deeper, and the person would be charged for it (FLT-02).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.errors import Unavailable
from nightlatch.login.step import Outcome
from nightlatch.rpc.caller import Forbidden
from nightlatch.rpc.convert import login_request, step_message
from nightlatch.rpc.status import answered
from nightlatch.v1 import login_pb2, login_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable

    import structlog

    from nightlatch.login.engine import LoginEngine
    from nightlatch.login.receipt import Receipts
    from nightlatch.login.step import Step
    from nightlatch.rpc.caller import Caller, CallerAddresses

_CHECKS_LOCALLY = "nightlatch-primary"
"""`directories.pam_service.SERVICE`: the service that nightlatch-pamcheck asks."""
_CIRCLE = f"it asks nightlatch. Take pam_nightlatch, by whatever name, out of /etc/pam.d/{_CHECKS_LOCALLY}"


class LoginService(login_pb2_grpc.LoginServiceServicer):
    """Serves logins with whatever engine is current: a reload swaps it between two calls.

    A caller's engine knows the people that this caller may name.
    """

    def __init__(
        self,
        engine: Callable[[Caller], LoginEngine],
        receipts: Callable[[], Receipts],
        addresses: CallerAddresses,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._engine = engine
        self._receipts = receipts
        self.addresses = addresses
        self.log = log

    @answered
    async def BeginLogin(
        self, request: login_pb2.BeginLoginRequest, caller: Caller
    ) -> login_pb2.BeginLoginResponse:
        """Start a login."""
        if not caller.may_act_for(request.service):
            raise Forbidden(
                f"{caller.name} may not log people in to that service. See services in its [[clients]] table."
            )
        if request.service == _CHECKS_LOCALLY:
            self.log.error("login.circle", service=_CHECKS_LOCALLY, reason=_CIRCLE)
            raise Unavailable(f"PAM service {_CHECKS_LOCALLY}", _CIRCLE)
        step = await self._engine(caller).begin(str(caller), login_request(request, caller))
        return login_pb2.BeginLoginResponse(step=self._message(caller, step))

    @answered
    async def AnswerLogin(
        self, request: login_pb2.AnswerLoginRequest, caller: Caller
    ) -> login_pb2.AnswerLoginResponse:
        """Go on with a login."""
        step = await self._engine(caller).answer(str(caller), request.ticket, request.answer)
        return login_pb2.AnswerLoginResponse(step=self._message(caller, step))

    def _message(self, caller: Caller, step: Step) -> login_pb2.Step:
        """A step, and with the grant of an application's login its receipt."""
        if caller.kind != "client" or not isinstance(step, Outcome) or step.grant is None:
            return step_message(step)
        grant = step.grant
        receipt = self._receipts().issue(grant.account, caller.name, grant.service, step.factor)
        return step_message(step, receipt)
