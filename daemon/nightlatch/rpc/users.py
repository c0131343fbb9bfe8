"""UserService: what an administrator or a helpdesk does for one person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nightlatch.login.hold import on_hold
from nightlatch.rpc.admin import credential_message
from nightlatch.rpc.prospects import explanation_message
from nightlatch.rpc.status import answered
from nightlatch.rpc.values import account_message, timestamp
from nightlatch.v1 import user_pb2, user_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import structlog

    from nightlatch.administration import Administration
    from nightlatch.desk import Desk, UserView
    from nightlatch.model import AuditRow
    from nightlatch.review import Review
    from nightlatch.rpc.caller import Caller, CallerAddresses

DEFAULT_SERVICE = "sshd"
PAM = "pam"


class Acting(Protocol):
    """What a caller may do, among the people that it may name."""

    @property
    def desk(self) -> Desk:
        """For one person at a time."""

    @property
    def administration(self) -> Administration:
        """Credentials."""


class UserService(user_pb2_grpc.UserServiceServicer):
    """Serves administrators and helpdesks: on the admin socket, and applications with the right to it."""

    def __init__(
        self,
        acting: Callable[[Caller], Acting],
        review: Callable[[], Review],
        last_login: Callable[[str], Awaitable[AuditRow | None]],
        addresses: CallerAddresses,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._acting = acting
        self._review = review
        self._last_login = last_login
        self.addresses = addresses
        self.log = log

    @answered
    async def GetUser(self, request: user_pb2.GetUserRequest, caller: Caller) -> user_pb2.GetUserResponse:
        """Tell how a person stands."""
        acting = self._acting(caller)
        view = await acting.desk.show(request.user)
        holds = on_hold(view.standing, view.now)
        policy = None
        client, default = (caller.name, caller.name) if caller.kind == "client" else (PAM, DEFAULT_SERVICE)
        service = request.service or default
        # Policy is asked over all directories. An application hears of the rules for its own services.
        if caller.rights.directories is None and (client == PAM or caller.may_act_for(service)):
            policy = explanation_message(await self._review().explain(request.user, service, "", client))
        last = await self._last_login(view.account.id)
        known = last is not None and (client == PAM or caller.may_act_for(last.event.service))
        return user_pb2.GetUserResponse(
            last_sign_in_time=timestamp(last.at if last else None),
            last_sign_in_service=last.event.service if last and known else "",
            account=account_message(view.account),
            credentials=[credential_message(acting.administration, one, holds) for one in view.credentials],
            limits=_limits(view),
            standing=_standing(view),
            policy=policy,
        )

    @answered
    async def DisableUser(
        self, request: user_pb2.DisableUserRequest, caller: Caller
    ) -> user_pb2.DisableUserResponse:
        """Keep a person out."""
        account, since = await self._acting(caller).desk.disable(str(caller), request.user, request.reason)
        self.log.info("account.disabled", account=account.id, caller=str(caller))
        return user_pb2.DisableUserResponse(account=account_message(account), disable_time=timestamp(since))

    @answered
    async def EnableUser(
        self, request: user_pb2.EnableUserRequest, caller: Caller
    ) -> user_pb2.EnableUserResponse:
        """Let a person in again."""
        account, was = await self._acting(caller).desk.enable(str(caller), request.user)
        self.log.info("account.enabled", account=account.id, caller=str(caller), was_disabled=was)
        return user_pb2.EnableUserResponse(account=account_message(account), was_disabled=was)

    @answered
    async def ResetUser(
        self, request: user_pb2.ResetUserRequest, caller: Caller
    ) -> user_pb2.ResetUserResponse:
        """Let a person begin anew."""
        acting = self._acting(caller)
        reset = await acting.desk.reset(str(caller), request.user, request.days)
        self.log.info(
            "account.reset", account=reset.account.id, removed=len(reset.removed), caller=str(caller)
        )
        return user_pb2.ResetUserResponse(
            account=account_message(reset.account),
            removed=[credential_message(acting.administration, one) for one in reset.removed],
            invite=reset.invite.reveal(),
            expire_time=timestamp(reset.expires_at),
        )

    @answered
    async def ListSessions(
        self, request: user_pb2.ListSessionsRequest, caller: Caller
    ) -> user_pb2.ListSessionsResponse:
        """List a person's open sessions."""
        account, sessions = await self._acting(caller).desk.sessions(request.user)
        listed = (user_pb2.Session(id=one.id, expire_time=timestamp(one.ends_at)) for one in sessions)
        return user_pb2.ListSessionsResponse(account=account_message(account), sessions=listed)

    @answered
    async def EndSessions(
        self, request: user_pb2.EndSessionsRequest, caller: Caller
    ) -> user_pb2.EndSessionsResponse:
        """End sessions of a person."""
        desk = self._acting(caller).desk
        account, ended = await desk.end_sessions(str(caller), request.user, request.session_id)
        self.log.info("sessions.ended", account=account.id, ended=ended, caller=str(caller))
        return user_pb2.EndSessionsResponse(account=account_message(account), ended=ended)


def _limits(view: UserView) -> user_pb2.UserLimits:
    until = view.locked_until
    return user_pb2.UserLimits(
        failures_in_a_row=view.limit.in_a_row,
        failures_in_all=view.failures_in_all,
        locked_until_time=timestamp(until) if until else None,
        locked=until is None,
        disable_time=timestamp(view.standing.disabled_at),
    )


def _standing(view: UserView) -> user_pb2.UserStanding:
    return user_pb2.UserStanding(
        grace_start_time=timestamp(view.standing.grace_started_at),
        grace_logins=view.standing.grace_logins,
        invite_expire_time=timestamp(view.invite_until),
    )
