"""AdminSessionService: who signs in has, on this connection, the rights of a role.

MUST 1: authority is the connection's: no metadata of a call carries it, and it ends with the session or the
        role, whatever ends them; the guard asks at each call.
MUST 2: a session is good for the user of the host that began it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nightlatch.rpc.caller import Caller
from nightlatch.rpc.convert import step_message
from nightlatch.rpc.roles import rights_of
from nightlatch.rpc.status import mapped
from nightlatch.rpc.values import account_message, timestamp
from nightlatch.v1 import admin_session_pb2, admin_session_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc
    import structlog

    from nightlatch.account.session import Session
    from nightlatch.desk.roles import Role
    from nightlatch.desk.signing_in import AdminSigningIn
    from nightlatch.ports import Clock
    from nightlatch.rpc.caller import CallerAddresses
    from nightlatch.rpc.rights import Rights

    Context = grpc.aio.ServicerContext[Any, Any]


class AdminSessionService(admin_session_pb2_grpc.AdminSessionServiceServicer):
    """Serves the admin socket."""

    def __init__(
        self,
        signing_in: Callable[[], AdminSigningIn],
        addresses: CallerAddresses,
        clock: Clock,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._signing_in = signing_in
        self._addresses = addresses
        self._clock = clock
        self.log = log

    @mapped
    async def BeginSignIn(
        self, request: admin_session_pb2.BeginSignInRequest, context: Context
    ) -> admin_session_pb2.BeginSignInResponse:
        """Begin to sign in."""
        caller = self._addresses.caller(context.peer()).host_user
        return admin_session_pb2.BeginSignInResponse(
            step=step_message(await self._signing_in().begin(caller, request.user))
        )

    @mapped
    async def AnswerSignIn(
        self, request: admin_session_pb2.AnswerSignInRequest, context: Context
    ) -> admin_session_pb2.AnswerSignInResponse:
        """Go on; with the grant, raise the connection to the role."""
        caller = self._addresses.caller(context.peer())
        signed = await self._signing_in().answer(caller.host_user, request.ticket, request.answer)
        if signed.session is not None and signed.role is not None:
            self._become(caller, context, signed.bearer, signed.session, signed.role)
        return admin_session_pb2.AnswerSignInResponse(
            step=step_message(signed.step),
            session=signed.bearer,
            role=signed.role.value if signed.role else "",
        )

    @mapped
    async def ResumeSession(
        self, request: admin_session_pb2.ResumeSessionRequest, context: Context
    ) -> admin_session_pb2.ResumeSessionResponse:
        """Take up a session."""
        caller = self._addresses.caller(context.peer())
        session, role = await self._signing_in().resume(caller.host_user, request.session)
        self._become(caller, context, request.session, session, role)
        return admin_session_pb2.ResumeSessionResponse(
            account=account_message(session.account),
            role=role.value,
            expire_time=timestamp(session.expires_at),
        )

    @mapped
    async def SignOut(
        self, request: admin_session_pb2.SignOutRequest, context: Context
    ) -> admin_session_pb2.SignOutResponse:
        """End a session; connections that have taken it up have no rights any more (MUST 1)."""
        caller = self._addresses.caller(context.peer())
        ended = await self._signing_in().end(caller.host_user, request.session)
        self.log.info("admin.signed_out", account=ended.account.id, caller=caller.host_user)
        return admin_session_pb2.SignOutResponse()

    def _become(self, caller: Caller, context: Context, bearer: bytes, session: Session, role: Role) -> None:
        """Let the connection speak for the person from the next call on, as long as the session is open."""
        left = session.expires_at - self._clock.now()
        host_user = caller.host_user.partition(" ")[2]
        name = f"{host_user} {session.account.name}@{session.account.directory}"

        async def rights_now() -> Rights:
            _, role = await self._signing_in().resume(caller.host_user, bearer)
            return rights_of(role)

        until = self._clock.steady() + left
        signed_in = Caller(caller.kind, name, rights_of(role), until=until, rights_now=rights_now)
        self._addresses.become(context.peer(), signed_in)
        self.log.info("admin.signed_in", account=session.account.id, role=role.value, caller=str(caller))
