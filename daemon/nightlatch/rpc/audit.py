"""AuditService: the audit for administrators.

MUST 1: nothing here changes anything.
MUST 2: rows go out in pages: no call holds more than one of them.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from nightlatch.errors import Invalid
from nightlatch.model import AuditQuery
from nightlatch.rpc.audit_messages import event_message, finding_message, results_of
from nightlatch.rpc.streamed import streamed
from nightlatch.v1 import audit_pb2, audit_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import structlog

    from nightlatch.audit.inquiry import Inquiry
    from nightlatch.rpc.caller import Caller, CallerAddresses

MOST_HEADS = 100_000


class AuditService(audit_pb2_grpc.AuditServiceServicer):
    """Serves the administrator; only on the admin listener."""

    def __init__(
        self, inquiry: Inquiry, addresses: CallerAddresses, log: structlog.stdlib.BoundLogger
    ) -> None:
        self._inquiry = inquiry
        self.addresses = addresses
        self._stopping = asyncio.Event()
        self.log = log

    def stop(self) -> None:
        """Let those go who follow."""
        self._stopping.set()

    @streamed
    async def ListAuditEvents(
        self, request: audit_pb2.ListAuditEventsRequest, caller: Caller
    ) -> AsyncGenerator[audit_pb2.ListAuditEventsResponse, None]:
        """List events."""
        if request.limit < 0:
            raise Invalid("limit must not be negative")
        query, trouble = await self._query(request.filter, oldest_first=request.oldest_first)
        yield audit_pb2.ListAuditEventsResponse(user_unknown=trouble)
        async with aclosing(self._inquiry.rows(query, request.limit)) as pages:
            async for page in pages:
                yield audit_pb2.ListAuditEventsResponse(events=map(event_message, page))

    @streamed
    async def FollowAuditEvents(
        self, request: audit_pb2.FollowAuditEventsRequest, caller: Caller
    ) -> AsyncGenerator[audit_pb2.FollowAuditEventsResponse, None]:
        """Send events as they are written."""
        query, _ = await self._query(request.filter, oldest_first=True)
        yield audit_pb2.FollowAuditEventsResponse()
        async with aclosing(self._inquiry.follow(query, self._stopping)) as pages:
            async for page in pages:
                yield audit_pb2.FollowAuditEventsResponse(events=map(event_message, page))

    @streamed
    async def VerifyAudit(
        self, request: audit_pb2.VerifyAuditRequest, caller: Caller
    ) -> AsyncGenerator[audit_pb2.VerifyAuditResponse, None]:
        """Verify every chain."""
        if len(request.heads) > MOST_HEADS:
            raise Invalid(f"at most {MOST_HEADS} heads can be verified at once")
        kept = await asyncio.to_thread(self._inquiry.kept_heads)
        async with aclosing(self._inquiry.verify([*kept, *request.heads])) as pieces:
            async for piece in pieces:
                yield audit_pb2.VerifyAuditResponse(
                    rows=piece.rows,
                    expected=piece.expected,
                    writers=piece.writers,
                    before_the_chain=piece.before_the_chain,
                    findings=map(finding_message, piece.findings),
                )

    async def _query(self, wanted: audit_pb2.AuditFilter, *, oldest_first: bool) -> tuple[AuditQuery, str]:
        accounts, trouble = None, ""
        if wanted.user:
            accounts, trouble = await self._inquiry.accounts_of(wanted.user)
        query = AuditQuery(
            accounts,
            wanted.event,
            results_of(wanted.results),
            wanted.since.ToNanoseconds() / 1e9 if wanted.HasField("since") else None,
            wanted.until.ToNanoseconds() / 1e9 if wanted.HasField("until") else None,
            oldest_first,
        )
        return query, trouble
