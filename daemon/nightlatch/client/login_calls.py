"""A login's calls and steps. Pure, as `calls.py`.

MUST 1: only VERDICT_GRANTED for the name that was asked for is a grant.
MUST 2: an answer is never sent twice: the daemon would take the second for a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.client.calls import NOWHERE, Call, Where, built, lock_end
from nightlatch.client.errors import Unavailable
from nightlatch.client.results import LoginResult, Prompt, PromptKind, Step, Verdict, Wait
from nightlatch.v1 import login_pb2

if TYPE_CHECKING:
    import datetime as dt

MOST_STEPS = 100
"""Of one login; a person at a prompt takes some ten."""
_PATH = "/nightlatch.v1.LoginService/"
_KINDS = {
    login_pb2.PROMPT_KIND_PASSWORD: PromptKind.PASSWORD,
    login_pb2.PROMPT_KIND_CODE: PromptKind.CODE,
    login_pb2.PROMPT_KIND_CHOICE: PromptKind.CHOICE,
    login_pb2.PROMPT_KIND_ENROLLMENT: PromptKind.ENROLLMENT,
}
_VERDICTS = {
    login_pb2.VERDICT_GRANTED: Verdict.GRANTED,
    login_pb2.VERDICT_REFUSED: Verdict.REFUSED,
    login_pb2.VERDICT_LOCKED: Verdict.LOCKED,
    login_pb2.VERDICT_UNAVAILABLE: Verdict.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Begin:
    """How a login begins."""

    user: str
    service: str
    where: Where = NOWHERE
    terminal: str = ""
    established: bool = False
    """Whether the application has checked the first factor itself."""
    device_token: str = ""
    keeps_device_token: bool = False
    draws_qr: bool = False

    def __repr__(self) -> str:
        """Say nothing of the token."""
        return f"Begin({self.user!r}, {self.service!r})"


def begin_login(begin: Begin) -> Call[login_pb2.BeginLoginResponse]:
    """The call that begins a login. It changes nothing, so it may be made again."""
    primary = login_pb2.PRIMARY_ESTABLISHED if begin.established else login_pb2.PRIMARY_PASSWORD
    evidence = [login_pb2.Evidence(device_token=begin.device_token)] if begin.device_token else []
    request = built(
        lambda: login_pb2.BeginLoginRequest(
            user=begin.user,
            service=begin.service,
            origin=login_pb2.Origin(remote_host=begin.where.remote_host, terminal=begin.terminal),
            primary=primary,
            evidence=evidence,
            keeps_device_token=begin.keeps_device_token,
            draws_qr=begin.draws_qr,
        )
    )
    return Call(f"{_PATH}BeginLogin", request, login_pb2.BeginLoginResponse.FromString, harmless=True)


def answer_login(ticket: bytes, answer: str) -> Call[login_pb2.AnswerLoginResponse]:
    """The call that answers a prompt."""
    request = built(lambda: login_pb2.AnswerLoginRequest(ticket=ticket, answer=answer.encode()))
    return Call(f"{_PATH}AnswerLogin", request, login_pb2.AnswerLoginResponse.FromString, harmless=False)


def step_of(step: login_pb2.Step, user: str, now: dt.datetime) -> Step:
    """What a login does next; raises Unavailable for a step that this client does not know."""
    match step.WhichOneof("kind"):
        case "prompt":
            prompt = step.prompt
            kind = _KINDS.get(prompt.kind, PromptKind.OTHER)
            details = tuple((detail.name, detail.value) for detail in prompt.details)
            return Prompt(kind, prompt.text, prompt.echo, step.ticket, prompt.qr_payload, details)
        case "wait":
            return Wait(step.wait.text, min(30, max(1, step.wait.seconds)), step.ticket)
        case "outcome":
            return _result(step.outcome, user, now)
        case _:
            raise Unavailable("The daemon gave a step that this client does not know.")


def _result(outcome: login_pb2.Outcome, user: str, now: dt.datetime) -> LoginResult:
    verdict = _VERDICTS.get(outcome.verdict, Verdict.UNAVAILABLE)
    if verdict is Verdict.GRANTED and outcome.user != user:
        words = f'Sign in as "{outcome.user}", please.' if outcome.user else ""
        return LoginResult(Verdict.REFUSED, message=words, reference=outcome.reference)
    locked = verdict is Verdict.LOCKED
    granted = verdict is Verdict.GRANTED
    return LoginResult(
        verdict,
        outcome.user,
        outcome.message,
        outcome.reference,
        outcome.retry_after_seconds,
        lock_end(outcome.retry_after_seconds, now) if locked else None,
        outcome.device_token,
        outcome.factor if granted else "",
        outcome.receipt if granted else "",
    )
