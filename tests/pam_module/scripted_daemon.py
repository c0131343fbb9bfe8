"""A LoginService that answers from a script and remembers what it was asked, on a unix socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import grpc.aio

from nightlatch.v1 import login_pb2, login_pb2_grpc

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    BeginContext = grpc.aio.ServicerContext[login_pb2.BeginLoginRequest, login_pb2.BeginLoginResponse]
    AnswerContext = grpc.aio.ServicerContext[login_pb2.AnswerLoginRequest, login_pb2.AnswerLoginResponse]

TICKET = b"a sealed ticket"


def prompt(
    text: str = "Code: ",
    kind: login_pb2.PromptKind.ValueType = login_pb2.PROMPT_KIND_CODE,
    *,
    echo: bool = False,
    ticket: bytes = TICKET,
) -> login_pb2.Step:
    """A step that asks."""
    return login_pb2.Step(prompt=login_pb2.Prompt(kind=kind, text=text, echo=echo), ticket=ticket)


def password(text: str = "Password: ") -> login_pb2.Step:
    """A step that asks for the password."""
    return prompt(text, login_pb2.PROMPT_KIND_PASSWORD)


def wait(seconds: int, text: str = "") -> login_pb2.Step:
    """A step that wants some patience."""
    return login_pb2.Step(wait=login_pb2.Wait(seconds=seconds, text=text), ticket=TICKET)


def outcome(
    verdict: login_pb2.Verdict.ValueType = login_pb2.VERDICT_GRANTED, user: str = "alice", message: str = ""
) -> login_pb2.Step:
    """A step that ends the login."""
    return login_pb2.Step(
        outcome=login_pb2.Outcome(verdict=verdict, user=user, message=message, reference="7f3a-22c1")
    )


class ScriptedDaemon(login_pb2_grpc.LoginServiceServicer):
    """Serves its replies one after the other, whoever asks; the last one for ever."""

    def __init__(self, path: Path, *replies: login_pb2.Step | grpc.StatusCode) -> None:
        self.path = path
        self.begins: list[login_pb2.BeginLoginRequest] = []
        self.answers: list[login_pb2.AnswerLoginRequest] = []
        self._replies = list(replies)
        self._server = grpc.aio.server()

    async def __aenter__(self) -> Self:
        """Listen."""
        login_pb2_grpc.add_LoginServiceServicer_to_server(self, self._server)
        self._server.add_insecure_port(f"unix:{self.path}")
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop at once."""
        await self._server.stop(None)

    def _next(self) -> login_pb2.Step | grpc.StatusCode:
        return self._replies[0] if len(self._replies) == 1 else self._replies.pop(0)

    async def BeginLogin(  # noqa: N802, the proto's name
        self, request: login_pb2.BeginLoginRequest, context: BeginContext
    ) -> login_pb2.BeginLoginResponse:
        """Remember the request; the next reply of the script."""
        self.begins.append(request)
        reply = self._next()
        if isinstance(reply, grpc.StatusCode):
            await context.abort(reply, "as the script says")
        return login_pb2.BeginLoginResponse(step=reply)

    async def AnswerLogin(  # noqa: N802, the proto's name
        self, request: login_pb2.AnswerLoginRequest, context: AnswerContext
    ) -> login_pb2.AnswerLoginResponse:
        """Remember the request; the next reply of the script."""
        self.answers.append(request)
        reply = self._next()
        if isinstance(reply, grpc.StatusCode):
            await context.abort(reply, "as the script says")
        return login_pb2.AnswerLoginResponse(step=reply)
