"""The part of `testbed.fake_daemon` that is about one person at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.v1 import admin_pb2, user_pb2, user_pb2_grpc

if TYPE_CHECKING:
    from testbed.fake_daemon import Aborts, FakeDaemon

INVITE = "0123-4567-89AB-CDEF-GHJK-MNPQ-RS"
STARTED = 1_770_033_600
DAY = 86_400


class FakeUsers(user_pb2_grpc.UserServiceServicer):
    """Answers with the fake daemon's people; `view` is what is told of everybody beside their credentials."""

    def __init__(self, daemon: FakeDaemon) -> None:
        self._daemon = daemon
        self.view = user_pb2.GetUserResponse()
        self.disabled: set[str] = set()
        self.sessions: list[str] = []

    def GetUser(self, request: user_pb2.GetUserRequest, context: Aborts) -> user_pb2.GetUserResponse:  # noqa: N802, gRPC's name
        self._daemon.note(request, context)
        answer = user_pb2.GetUserResponse(credentials=self._daemon.person(request.user, context))
        answer.MergeFrom(self.view)
        answer.account.CopyFrom(account(request.user))
        return answer

    def DisableUser(  # noqa: N802, gRPC's name
        self, request: user_pb2.DisableUserRequest, context: Aborts
    ) -> user_pb2.DisableUserResponse:
        self._daemon.note(request, context)
        self.disabled.add(request.user)
        answer = user_pb2.DisableUserResponse(account=account(request.user))
        answer.disable_time.FromSeconds(STARTED)
        return answer

    def EnableUser(  # noqa: N802, gRPC's name
        self, request: user_pb2.EnableUserRequest, context: Aborts
    ) -> user_pb2.EnableUserResponse:
        self._daemon.note(request, context)
        was = request.user in self.disabled
        self.disabled.discard(request.user)
        return user_pb2.EnableUserResponse(account=account(request.user), was_disabled=was)

    def ListSessions(  # noqa: N802, gRPC's name
        self, request: user_pb2.ListSessionsRequest, context: Aborts
    ) -> user_pb2.ListSessionsResponse:
        self._daemon.note(request, context)
        answer = user_pb2.ListSessionsResponse(account=account(request.user))
        for identity in self.sessions:
            answer.sessions.add(id=identity).expire_time.FromSeconds(STARTED)
        return answer

    def EndSessions(  # noqa: N802, gRPC's name
        self, request: user_pb2.EndSessionsRequest, context: Aborts
    ) -> user_pb2.EndSessionsResponse:
        self._daemon.note(request, context)
        ended = [one for one in self.sessions if request.session_id in {"", one}]
        self.sessions = [one for one in self.sessions if one not in ended]
        return user_pb2.EndSessionsResponse(account=account(request.user), ended=len(ended))

    def ResetUser(self, request: user_pb2.ResetUserRequest, context: Aborts) -> user_pb2.ResetUserResponse:  # noqa: N802, gRPC's name
        self._daemon.note(request, context)
        removed = self._daemon.person(request.user, context)
        self._daemon.people[request.user] = []
        answer = user_pb2.ResetUserResponse(account=account(request.user), removed=removed, invite=INVITE)
        answer.expire_time.FromSeconds(STARTED + request.days * DAY)
        return answer


def account(user: str) -> admin_pb2.Account:
    """An account of the fake."""
    return admin_pb2.Account(directory="corp", stable_id=f"id-of-{user}", name=user)
