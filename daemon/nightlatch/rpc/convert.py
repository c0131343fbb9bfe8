"""Between the core's values and the API's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.errors import Invalid
from nightlatch.login.step import LoginRequest, Outcome, Primary, Prompt, PromptKind, Step, Verdict, Wait
from nightlatch.v1 import login_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nightlatch.rpc.caller import Caller
    from nightlatch.v1.login_pb2 import BeginLoginRequest, Evidence

_PRIMARIES = {
    login_pb2.PRIMARY_PASSWORD: Primary.PASSWORD,
    login_pb2.PRIMARY_ESTABLISHED: Primary.ESTABLISHED,
}
_PROMPT_KINDS = {
    PromptKind.PASSWORD: login_pb2.PROMPT_KIND_PASSWORD,
    PromptKind.CODE: login_pb2.PROMPT_KIND_CODE,
    PromptKind.CHOICE: login_pb2.PROMPT_KIND_CHOICE,
    PromptKind.ENROLLMENT: login_pb2.PROMPT_KIND_ENROLLMENT,
}
_VERDICTS = {
    Verdict.GRANTED: login_pb2.VERDICT_GRANTED,
    Verdict.REFUSED: login_pb2.VERDICT_REFUSED,
    Verdict.LOCKED: login_pb2.VERDICT_LOCKED,
    Verdict.UNAVAILABLE: login_pb2.VERDICT_UNAVAILABLE,
}


def login_request(message: BeginLoginRequest, caller: Caller) -> LoginRequest:
    """The login that a message describes, as far as its caller may speak for that; raises Invalid.

    Where a login comes from is the caller's own address, unless it may set the source. The text stays as it
    came: whether it is an address is for those to find out who look for one (POL-04).
    """
    primary = _PRIMARIES.get(message.primary)
    if primary is None:
        raise Invalid("primary must be PRIMARY_PASSWORD or PRIMARY_ESTABLISHED")
    return LoginRequest(
        user=message.user,
        service=message.service,
        source=message.origin.remote_host if caller.rights.sets_source else caller.address,
        terminal=message.origin.terminal,
        primary=primary,
        evidence=evidence_of(message.evidence, caller),
        keeps_token=message.keeps_device_token,
        draws_qr=message.draws_qr,
    )


def evidence_of(messages: Iterable[Evidence], caller: Caller) -> tuple[str, ...]:
    """The evidence that counts, as factors read it."""
    return tuple(text for text in (_evidence(one, caller) for one in messages) if text)


def _evidence(message: Evidence, caller: Caller) -> str:
    """A piece of evidence as factors read it; empty for an unknown kind, and for one not this caller's."""
    match message.WhichOneof("kind"):
        case "device_token":
            return f"token:{message.device_token}"
        case "ssh_public_key" if caller.rights.shows_keys:
            return f"ssh:{message.ssh_public_key}"
        case _:
            return ""


def step_message(step: Step, receipt: str = "") -> login_pb2.Step:
    """A step as the API's message; `receipt` goes with a grant."""
    match step:
        case Prompt():
            prompt = login_pb2.Prompt(
                kind=_PROMPT_KINDS[step.kind],
                text=step.text,
                echo=step.echo,
                qr_payload=step.qr_payload,
                details=[login_pb2.PromptDetail(name=name, value=value) for name, value in step.details],
            )
            return login_pb2.Step(prompt=prompt, ticket=step.ticket)
        case Wait():
            return login_pb2.Step(
                wait=login_pb2.Wait(text=step.text, seconds=step.seconds), ticket=step.ticket
            )
        case Outcome():
            return login_pb2.Step(
                outcome=login_pb2.Outcome(
                    verdict=_VERDICTS[step.verdict],
                    message=step.message,
                    reference=step.reference,
                    user=step.user,
                    retry_after_seconds=int(-(-step.retry_after // 1)),
                    device_token=step.device_token,
                    factor=step.factor,
                    receipt=receipt,
                )
            )
