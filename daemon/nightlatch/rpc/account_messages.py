"""Between a person's own things and the API's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.rpc.values import timestamp
from nightlatch.v1 import account_pb2

if TYPE_CHECKING:
    from nightlatch.account import Overview
    from nightlatch.model import AuditEvent, Credential


def overview_message(overview: Overview) -> account_pb2.GetAccountResponse:
    """The account, as its person sees it."""
    return account_pb2.GetAccountResponse(
        user=overview.account.name,
        directory=overview.account.directory,
        credentials=[_credential(overview, one) for one in overview.credentials],
        devices=[_credential(overview, one) for one in overview.devices],
        security_mailbox=overview.security_mailbox,
        sign_ins=[_sign_in(at, event) for at, event in overview.sign_ins],
        offers=[
            account_pb2.FactorOffer(
                factor=one.name, title=one.title, needs_address=one.plugin.medium is not None
            )
            for one in overview.offers
        ],
        session_seconds=max(0, int(overview.seconds)),
    )


def _credential(overview: Overview, credential: Credential) -> account_pb2.OwnCredential:
    return account_pb2.OwnCredential(
        id=credential.id,
        factor=credential.factor,
        title=overview.titles.get(credential.factor, credential.factor),
        label=credential.label,
        create_time=timestamp(credential.created_at),
        last_use_time=timestamp(credential.last_used_at),
        expire_time=timestamp(credential.expires_at),
        uses_left=overview.left.get(credential.id),
        hold_end_time=timestamp(overview.holds.get(credential.id)),
    )


def _sign_in(at: float, event: AuditEvent) -> account_pb2.SignIn:
    return account_pb2.SignIn(
        time=timestamp(at),
        service=event.service,
        source=event.source,
        factor=event.factor,
        result=event.result.value,
    )
