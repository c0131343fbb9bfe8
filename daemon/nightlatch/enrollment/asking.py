"""Asks a credential's question outside a login, and makes the audit rows of what changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.channel import NotSent
from nightlatch.errors import Conflict, Locked, Refused, Unavailable
from nightlatch.factor import Subject
from nightlatch.login import words
from nightlatch.login.asking_context import AskingContext
from nightlatch.model import AuditEvent, Result
from nightlatch.sending import Budget, TooManyMessages

if TYPE_CHECKING:
    from nightlatch.factor import Challenge
    from nightlatch.login.parts import Parts
    from nightlatch.model import Account, Credential
    from nightlatch.plugins.facade import FactorFacade

SECONDS = 10.0


def change(name: str, account: Account, caller: str, credential: Credential | None = None) -> AuditEvent:
    """The audit row of a change to an account."""
    return AuditEvent(
        event=name,
        result=Result.CHANGED,
        reason="",
        reference="",
        account_id=account.id,
        user=account.name,
        factor=credential.factor if credential else "",
        credential_id=credential.id if credential else "",
        caller=caller,
        language=account.contact.language,
    )


async def ask(parts: Parts, account: Account, credential: Credential, event: AuditEvent) -> Challenge:
    """Ask; raises Refused when a message could not be sent, Locked, Unavailable."""
    try:
        return await challenged(parts, account, credential, event)
    except TooManyMessages as error:
        raise Locked(words.too_many_messages(error.retry_after), error.retry_after) from None
    except NotSent as error:
        raise Refused(f"The message could not be sent: {error.reason}") from None


async def challenged(
    parts: Parts,
    account: Account,
    credential: Credential,
    event: AuditEvent,
    *,
    memo: bytes = b"",
    service: str = "",
) -> Challenge:
    """The credential's question; raises NotSent (and TooManyMessages), Locked, Unavailable."""
    facade = facade_of(parts, credential)
    now = parts.clock.now()
    context = AskingContext(
        now,
        now + SECONDS,
        memo,
        service,
        parts.randomness,
        parts.sender,
        event,
        Budget.CHANGES,
        dialogue=bool(service),  # within a login
    )
    try:
        subject = Subject(account.name, account.directory)
        challenge = await facade.challenge(subject, credential.state, context)
    except NotSent:
        if context.stopped is not None:
            raise context.stopped from None
        raise
    if challenge.prompt is None:
        raise Unavailable(f"factor {credential.factor}", "asks nothing, and so can prove nothing here")
    return challenge


def facade_of(parts: Parts, credential: Credential) -> FactorFacade:
    """The credential's factor; raises Conflict where it is switched off."""
    facade = parts.factors.get(credential.factor)
    if facade is None:
        raise Conflict(
            f"The factor {credential.factor} is switched off here, so nobody can prove its credentials. "
            "An administrator removes them with: nightlatch credential remove --unproven"
        )
    return facade
